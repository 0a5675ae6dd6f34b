import Crypto
import Foundation
import Logging
import SSHClient
import TestSSHServer
import Testing

private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Against OpenSSH's own server.
@Suite(.enabled(if: SSHServer.isAvailable, "needs root and sshd (NESTBOX_SSHD, /usr/sbin/sshd)"), .timeLimit(.minutes(10)))
struct SSHConnectionTests {
    private func connect(
        _ server: SSHServer, user: String = "root", key: SSHPrivateKey? = nil, policy: HostKeyPolicy = .trustFirst
    ) async throws -> SSHConnection {
        var target = server.target
        target.user = user
        return try await SSHConnection.connect(
            to: target, key: key ?? server.userKey, hostKey: policy, timeout: .seconds(10), logger: logger)
    }

    @Test func commandsReturnStatusAndOutput() async throws {
        let server = try await SSHServer()
        let connection = try await connect(server)
        let result = try await connection.execute("echo out; echo err >&2; exit 3", timeout: .seconds(5))
        #expect(result == CommandResult(status: 3, stdout: Array("out\n".utf8), stderr: Array("err\n".utf8)))
        let killed = try await connection.execute("kill -TERM $$", timeout: .seconds(5))
        #expect(killed.signal == "TERM")
        #expect(!killed.succeeded)
        await connection.close()
        await #expect(throws: SSHError.self) { try await connection.execute("true", timeout: .seconds(5)) }
    }

    @Test func inputOfAnySizeComesBackWhole() async throws {
        let server = try await SSHServer()
        let connection = try await connect(server)
        let input = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        let result = try await connection.execute("cat; echo end >&2", input: input, timeout: .seconds(30), outputLimit: 8_000_000)
        #expect(result.status == 0)
        #expect(result.stdout == input)
        // A command that reads none of it is no error.
        let deaf = try await connection.execute("exec <&-; echo deaf", input: input, timeout: .seconds(10))
        #expect(deaf.text == "deaf\n")
    }

    @Test func longOutputKeepsItsBeginningAndEnd() async throws {
        let server = try await SSHServer()
        let connection = try await connect(server)
        let result = try await connection.execute("seq 1 200000", timeout: .seconds(20), outputLimit: 1000)
        #expect(result.truncated)
        #expect(result.text.hasPrefix("1\n2\n"))
        #expect(result.text.hasSuffix("199999\n200000\n"))
        #expect(result.stdout.count < 1100)
    }

    @Test func aFileIsUploadedOnceAndChecked() async throws {
        let server = try await SSHServer()
        let connection = try await connect(server)
        let (source, destination) = (server.folder + "/source", server.folder + "/new folder/it's there")
        let size = 48 << 20
        let noise = try #require(FileHandle(forReadingAtPath: "/dev/urandom"))
        let content = try #require(try noise.read(upToCount: size))
        try content.write(to: URL(fileURLWithPath: source))
        #expect(try await connection.upload(file: source, to: destination, mode: 0o750) == .uploaded(bytes: size))
        #expect(try Data(contentsOf: URL(fileURLWithPath: destination)) == content)
        let mode = try FileManager.default.attributesOfItem(atPath: destination)[.posixPermissions] as? Int
        #expect(mode == 0o750)
        #expect(try await connection.upload(file: source, to: destination, mode: 0o750) == .alreadyThere)
        // A source that is not what the caller was promised never takes the place.
        let wrong = String(repeating: "0", count: 64)
        await #expect(throws: SSHError.self) {
            try await connection.upload(file: source, to: destination + "2", mode: 0o644, sha256: wrong)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: server.folder + "/new folder") == ["it's there"])
    }

    @Test(arguments: [
        ["-t", "ed25519"], ["-t", "ecdsa", "-b", "256"], ["-t", "ecdsa", "-b", "384"], ["-t", "ecdsa", "-b", "521"],
        ["-t", "ecdsa", "-b", "256", "-m", "PEM"], ["-t", "ecdsa", "-b", "256", "-m", "PKCS8"],
    ])
    func keysOfTheseTypesAreAccepted(_ type: [String]) async throws {
        let server = try await SSHServer(userKeyType: type)
        let connection = try await connect(server)
        #expect(try await connection.execute("true", timeout: .seconds(5)).succeeded)
    }

    @Test func anotherKeyOrUserIsRefused() async throws {
        let server = try await SSHServer()
        let other = try await SSHServer()
        await #expect {
            try await connect(server, key: other.userKey)
        } throws: { error in
            if case .authenticationRefused? = error as? SSHError { "\(error)".contains("for user root") } else { false }
        }
        await #expect {
            try await connect(server, user: "nobody-of-that-name")
        } throws: { error in
            if case .authenticationRefused? = error as? SSHError { true } else { false }
        }
    }

    @Test func aChangedHostKeyStopsEverything() async throws {
        let server = try await SSHServer(hostKeyTypes: ["ed25519", "ecdsa"])
        let other = try await SSHServer(hostKeyTypes: ["ed25519", "ecdsa"])
        let trusting = try await connect(server)
        #expect(try await trusting.hostKey == server.hostKey())
        // The pinned key's type decides which of its keys the server shows.
        for type in ["ed25519", "ecdsa"] {
            let pinned = try await connect(server, policy: .pinned([server.hostKey(type)]))
            #expect(try await pinned.hostKey == server.hostKey(type))
        }
        let expected = try SSHError.hostKeyChanged(server.target, trusted: [other.hostKey()], presented: server.hostKey())
        await #expect(throws: expected) { try await connect(server, policy: .pinned([other.hostKey()])) }
    }

    @Test func aCommandThatDoesNotEndTimesOut() async throws {
        let server = try await SSHServer()
        let connection = try await connect(server)
        let start = ContinuousClock.now
        await #expect(throws: SSHError.timeout(server.target, operation: "a command", after: .milliseconds(500))) {
            try await connection.execute("sleep 60", timeout: .milliseconds(500))
        }
        #expect(ContinuousClock.now - start < .seconds(30))
        await #expect(throws: SSHError.self) { try await connection.execute("true", timeout: .seconds(5)) }
    }

    @Test func aFrozenServerTimesOut() async throws {
        let server = try await SSHServer()
        let connection = try await connect(server)
        await #expect(throws: SSHError.timeout(server.target, operation: "a command", after: .seconds(1))) {
            try await connection.execute("kill -STOP $PPID; echo never", timeout: .seconds(1))
        }
    }

    @Test func anUploadThatStallsTimesOut() async throws {
        let server = try await SSHServer()
        let connection = try await connect(server)
        let source = server.folder + "/source"
        try Data(count: 32 << 20).write(to: URL(fileURLWithPath: source))
        await #expect {
            // The shell stands for a machine that stops in the middle.
            _ = try await connection.upload(
                file: source, to: server.folder + "/copy", mode: 0o644, shell: "head -c 100000 > /dev/null; sleep 60; :",
                stall: .seconds(1))
        } throws: { error in
            if case .timeout? = error as? SSHError { true } else { false }
        }
    }

    @Test func cancellationEndsACommandAtOnce() async throws {
        let server = try await SSHServer()
        let connection = try await connect(server)
        let marker = server.folder + "/started"
        let command = Task { try await connection.execute("touch \(marker); sleep 60", timeout: .seconds(60)) }
        try await waitUntil("the command runs") { FileManager.default.fileExists(atPath: marker) }
        let start = ContinuousClock.now
        command.cancel()
        await #expect(throws: CancellationError.self) { try await command.value }
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    /// More commands than there are threads to share: waiting for them is done on threads of their own.
    @Test func commandsUnderWayHoldUpNobody() async throws {
        let server = try await SSHServer()
        let markers = (0...ProcessInfo.processInfo.activeProcessorCount).map { "\(server.folder)/started-\($0)" }
        let end = server.folder + "/end"
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for marker in markers {
                let connection = try await connect(server)
                group.addTask {
                    let script = "touch \(marker); while [ ! -e \(end) ]; do sleep 0.1; done"
                    return try await connection.execute(script, timeout: .seconds(120)).succeeded
                }
            }
            group.addTask {
                try await waitUntil("all commands run") { markers.allSatisfy(FileManager.default.fileExists) }
                return FileManager.default.createFile(atPath: end, contents: nil)
            }
            for try await succeeded in group { #expect(succeeded) }
        }
    }

    @Test func aServerThatDiesIsNoticed() async throws {
        let server = try await SSHServer()
        let connection = try await connect(server)
        await #expect {
            try await connection.execute("kill -KILL $PPID; sleep 10", timeout: .seconds(20))
        } throws: { error in
            if case .connectionLost? = error as? SSHError { true } else { false }
        }
    }
}

/// What needs no SSH server.
@Suite(.timeLimit(.minutes(10)))
struct UnreachableServerTests {
    private func connect(port: Int, timeout: Duration = .seconds(10)) async throws {
        _ = try await SSHConnection.connect(
            to: SSHTarget(host: "127.0.0.1", port: port), key: testKey(), hostKey: .trustFirst, timeout: timeout, logger: logger)
    }

    @Test func aClosedPortIsUnreachable() async throws {
        let port = try freePort()
        await #expect {
            try await connect(port: port)
        } throws: { error in
            if case .unreachable(_, let reason)? = error as? SSHError { reason == "Connection refused" } else { false }
        }
    }

    @Test func anUnknownNameIsUnreachable() async throws {
        await #expect {
            _ = try await SSHConnection.connect(
                to: SSHTarget(host: "no-such-host.invalid"), key: testKey(), hostKey: .trustFirst, logger: logger)
        } throws: { error in
            if case .unreachable(_, let reason)? = error as? SSHError { reason.contains("cannot be resolved") } else { false }
        }
    }

    @Test func aServerThatSaysNothingTimesOut() async throws {
        let silent = try SilentListener()
        let target = SSHTarget(host: "127.0.0.1", port: silent.port)
        await #expect(throws: SSHError.timeout(target, operation: "the SSH handshake", after: .milliseconds(300))) {
            try await connect(port: silent.port, timeout: .milliseconds(300))
        }
    }

    @Test func connectingCanBeCancelled() async throws {
        let silent = try SilentListener()
        let port = silent.port
        let attempt = Task { try await connect(port: port, timeout: .seconds(50)) }
        try await Task.sleep(for: .milliseconds(100))
        attempt.cancel()
        await #expect(throws: CancellationError.self) { try await attempt.value }
    }
}

private func testKey() throws -> SSHPrivateKey {
    let body = Curve25519.Signing.PrivateKey().rawRepresentation
    let der = Data([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20]) + body
    return try SSHPrivateKey("-----BEGIN PRIVATE KEY-----\n\(der.base64EncodedString())\n-----END PRIVATE KEY-----\n")
}
