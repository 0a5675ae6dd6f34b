import Foundation
import SSHClient
import TestSSHServer
import Testing

struct SSHPrivateKeyTests {
    private func key(_ arguments: [String], suffix: String = "") async throws -> String {
        let path = NSTemporaryDirectory() + "nestbox-key-" + UUID().uuidString
        defer { for end in ["", ".pub"] { try? FileManager.default.removeItem(atPath: path + end) } }
        try await keygen(path, arguments)
        return try String(contentsOfFile: path + suffix, encoding: .utf8)
    }

    private func refusal(_ text: String) -> String? {
        do {
            _ = try SSHPrivateKey(text)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func ed25519AndECDSAAreTakenWhateverTheLineEnds() async throws {
        let text = try await key(["-t", "ed25519"])
        #expect(refusal(text) == nil)
        #expect(refusal(text.replacingOccurrences(of: "\n", with: "\r\n")) == nil)
        #expect(refusal("\n  " + text.trimmingCharacters(in: .newlines)) == nil)
        #expect(refusal(try await key(["-t", "ecdsa", "-m", "PEM"])) == nil)
    }

    @Test(arguments: [[], ["-m", "PEM"], ["-m", "PKCS8"]])
    func rsaIsRefusedWithARemedy(_ format: [String]) async throws {
        let reason = try #require(refusal(try await key(["-t", "rsa", "-b", "2048"] + format)))
        #expect(reason.contains("RSA key") && reason.contains("ssh-keygen -t ed25519"))
    }

    @Test(arguments: [["-t", "ed25519"], ["-t", "ecdsa", "-m", "PEM"], ["-t", "ecdsa", "-m", "PKCS8"]])
    func passphrasesAreRefused(_ type: [String]) async throws {
        let reason = try #require(refusal(try await key(type + ["-N", "secret phrase"])))
        #expect(reason.contains("protected by a passphrase"))
    }

    @Test func whatIsNoPrivateKeyIsNamed() async throws {
        #expect(try #require(refusal(try await key(["-t", "ed25519"], suffix: ".pub"))).contains("this is a public SSH key"))
        #expect(try #require(refusal("")).contains("no SSH private key"))
        #expect(try #require(refusal("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n")).contains("cut off"))
        #expect(
            try #require(refusal("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")).contains("damaged"))
        #expect(try #require(refusal("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")).contains("CERTIFICATE"))
    }

    @Test func aKeyIsNeverPrinted() async throws {
        let text = try await key(["-t", "ed25519"])
        let key = try SSHPrivateKey(text)
        var dumped = "\(key) \(String(reflecting: key)) "
        dump(key, to: &dumped)
        #expect(!dumped.contains(text.split(separator: "\n")[1]))
    }
}

struct HostKeyTests {
    @Test func theTextFormIsReadAndWritten() async throws {
        let path = NSTemporaryDirectory() + "nestbox-key-" + UUID().uuidString
        defer { for end in ["", ".pub"] { try? FileManager.default.removeItem(atPath: path + end) } }
        try await keygen(path, ["-t", "ed25519", "-C", "a comment"])
        let text = try String(contentsOfFile: path + ".pub", encoding: .utf8)
        let key = try #require(HostKey(text))
        #expect(text == key.description + " a comment\n")
        #expect(key.fingerprint.hasPrefix("SHA256:") && key.fingerprint.count == 50)
        #expect(HostKey(blob: key.blob) == key)
    }

    @Test(arguments: ["", "ssh-ed25519", "ssh-ed25519 !!!!", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA==", "ssh-ed25519 AAAA"])
    func nonsenseIsNoHostKey(_ text: String) {
        #expect(HostKey(text) == nil)
    }
}

struct ShellQuotingTests {
    @Test(arguments: [
        ("", "''"), ("plain-1.2_3/x:y,z@a+b", "plain-1.2_3/x:y,z@a+b"), ("two words", "'two words'"), ("it's", "'it'\\''s'"),
        ("$(rm -rf /)", "'$(rm -rf /)'"), ("~", "'~'"), ("a\nb", "'a\nb'"), ("ü", "'ü'"), ("'", "''\\'''"),
    ])
    func everyTextIsOneWord(_ text: String, _ quoted: String) {
        #expect(shellQuoted(text) == quoted)
    }
}
