#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A user's private key, held in memory: Ed25519 or ECDSA, without a passphrase.
public struct SSHPrivateKey: Sendable {
    let text: String

    /// Reads an OpenSSH or PEM private key. What libssh2 or today's servers would refuse is refused here, with the reason.
    public init(_ text: String) throws(SSHError) {
        let lines = text.split(whereSeparator: \.isNewline).map { line in
            String(line.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }.filter { !$0.isEmpty }
        if let reason = Self.reasonToRefuse(lines) { throw .unusableKey(reason) }
        // libssh2 wants plain newlines, and one at the end.
        self.text = lines.joined(separator: "\n") + "\n"
    }

    private static func reasonToRefuse(_ lines: [String]) -> String? {
        guard let begin = lines.firstIndex(where: { $0.hasPrefix("-----BEGIN ") }) else {
            return lines.first?.hasPrefix("ssh-") == true || lines.first?.hasPrefix("ecdsa-") == true
                ? "this is a public SSH key; the private key is wanted, the file without .pub"
                : "this is no SSH private key: it has no line \"-----BEGIN ... PRIVATE KEY-----\""
        }
        let body = lines[(begin + 1)...].prefix { !$0.hasPrefix("-----END ") }
        guard begin + 1 + body.count < lines.count else { return "the SSH private key is cut off: it has no END line" }
        if body.contains(where: { $0.hasPrefix("Proc-Type:") && $0.hasSuffix("ENCRYPTED") }) { return passphrase }
        switch lines[begin] {
        case "-----BEGIN RSA PRIVATE KEY-----": return rsa
        case "-----BEGIN DSA PRIVATE KEY-----": return "the SSH key is a DSA key, which servers no longer accept; \(remedy)"
        case "-----BEGIN ENCRYPTED PRIVATE KEY-----": return passphrase
        case "-----BEGIN EC PRIVATE KEY-----": return nil
        case "-----BEGIN OPENSSH PRIVATE KEY-----": return Data(base64Encoded: body.joined()).map { openSSH([UInt8]($0)) } ?? damaged
        case "-----BEGIN PRIVATE KEY-----": return Data(base64Encoded: body.joined()).map { pkcs8([UInt8]($0)) } ?? damaged
        default: return "\"\(lines[begin])\" does not begin an SSH private key; \(remedy)"
        }
    }

    private static func openSSH(_ bytes: [UInt8]) -> String? {
        var reader = WireReader(bytes)
        guard reader.skip(Array("openssh-key-v1\0".utf8)), let cipher = reader.string(), reader.string() != nil,
            reader.string() != nil, let count = reader.uint32(), count >= 1, let publicKey = reader.string(),
            let type = WireReader(publicKey).firstString
        else { return damaged }
        if type == "ssh-rsa" { return rsa }
        if cipher != Array("none".utf8) { return passphrase }
        let usable = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"]
        return usable.contains(type) ? nil : "the SSH key is of type \(type), which cannot be used here; \(remedy)"
    }

    private static func pkcs8(_ bytes: [UInt8]) -> String? {
        // The algorithm's object identifier stands near the beginning; rsaEncryption is 1.2.840.113549.1.1.1.
        let rsaEncryption: [UInt8] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]
        let head = bytes.prefix(40)
        return head.indices.contains { head[$0...].starts(with: rsaEncryption) } ? rsa : nil
    }

    private static let remedy = "make one with \"ssh-keygen -t ed25519 -N ''\""
    private static let rsa =
        "the SSH key is an RSA key: libssh2 before 1.11 signs with SHA-1 only, which OpenSSH 8.8 and newer refuse; \(remedy)"
    private static let passphrase =
        "the SSH private key is protected by a passphrase, which nobody is there to type; \(remedy), or remove it from a copy with \"ssh-keygen -p\""
    private static let damaged = "the SSH private key is damaged: its body cannot be decoded"
}

extension SSHPrivateKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "SSH private key" }
    public var debugDescription: String { description }
    /// Nothing: reflection must not print the key.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
