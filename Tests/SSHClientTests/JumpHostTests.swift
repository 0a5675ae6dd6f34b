import Foundation
import Logging
import SSHClient
import TestSSHServer
import Testing

private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Through one of OpenSSH's own servers to another.
@Suite(.enabled(if: SSHServer.isAvailable, "needs root and sshd (NESTBOX_SSHD, /usr/sbin/sshd)"), .timeLimit(.minutes(10)))
struct JumpHostTests {
    private func jumpHost(_ server: SSHServer, key: SSHPrivateKey? = nil, policy: HostKeyPolicy = .trustFirst) -> SSHJumpHost {
        SSHJumpHost(target: server.target, key: key ?? server.userKey, hostKey: policy)
    }

    private func connect(
        _ server: SSHServer, key: SSHPrivateKey? = nil, policy: HostKeyPolicy = .trustFirst, through jumpHost: SSHJumpHost,
        timeout: Duration = .seconds(10)
    ) async throws -> SSHConnection {
        try await SSHConnection.connect(
            to: server.target, key: key ?? server.userKey, hostKey: policy, through: jumpHost, timeout: timeout, logger: logger)
    }

    @Test func commandsGoThroughAndBothKeysAreKnown() async throws {
        let (jump, server) = (try await SSHServer(), try await SSHServer())
        let connection = try await connect(server, through: jumpHost(jump))
        #expect(try await connection.hostKey == server.hostKey())
        #expect(try await connection.jumpHostKey == jump.hostKey())
        let result = try await connection.execute("echo out; echo err >&2; exit 3", timeout: .seconds(5))
        #expect(result == CommandResult(status: 3, stdout: Array("out\n".utf8), stderr: Array("err\n".utf8)))
        // It is the jump host that the other one sees; and nothing but one connection stands here.
        let seen = try await connection.execute("echo $SSH_CONNECTION", timeout: .seconds(5)).text
        #expect(seen.hasSuffix("127.0.0.1 \(server.port)\n"), "\(seen)")
        await connection.close()
        await #expect(throws: SSHError.self) { try await connection.execute("true", timeout: .seconds(5)) }
    }

    @Test func muchGoesThroughBothWays() async throws {
        let (jump, server) = (try await SSHServer(), try await SSHServer())
        let connection = try await connect(server, through: jumpHost(jump))
        let noise = try #require(FileHandle(forReadingAtPath: "/dev/urandom"))
        let input = [UInt8](try #require(try noise.read(upToCount: 6_000_000)))
        let result = try await connection.execute("cat; echo end >&2", input: input, timeout: .seconds(60), outputLimit: 16_000_000)
        #expect(result.status == 0)
        #expect(result.stdout == input)
        // What is written and read at once, and a reader who is slow.
        let slow = try await connection.execute(
            "head -c 1000000 /dev/zero; sleep 1; cat > /dev/null; head -c 1000000 /dev/zero", input: input, timeout: .seconds(60),
            outputLimit: 16_000_000)
        #expect(slow.stdout.count == 2_000_000)
        let source = server.folder + "/source"
        let content = try #require(try noise.read(upToCount: 16 << 20))
        try content.write(to: URL(fileURLWithPath: source))
        let path = server.folder + "/copy"
        #expect(try await connection.upload(file: source, to: path, mode: 0o644) == .uploaded(bytes: content.count))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == content)
    }

    @Test func eachHopHasItsOwnKeyAndSaysWhenItIsRefused() async throws {
        let (jump, server) = (try await SSHServer(), try await SSHServer())
        let way = "jump host root@127.0.0.1:\(jump.port)"
        await #expect {
            _ = try await connect(server, through: jumpHost(jump, key: server.userKey))
        } throws: { error in
            guard case .authenticationRefused(let target, _)? = error as? SSHError else { return false }
            return target.isJumpHost && "\(error)".hasPrefix("\(way) refuses the SSH key")
        }
        await #expect {
            _ = try await connect(server, key: jump.userKey, through: jumpHost(jump))
        } throws: { error in
            guard case .authenticationRefused(let target, _)? = error as? SSHError else { return false }
            return !target.isJumpHost && "\(error)".hasPrefix("root@127.0.0.1:\(server.port) (behind \(way)) refuses the SSH key")
        }
    }

    @Test func eachHopsHostKeyIsHeldToThePinnedOne() async throws {
        let (jump, server, other) = (try await SSHServer(), try await SSHServer(), try await SSHServer())
        let pinned = try await connect(
            server, policy: .pinned([server.hostKey()]), through: jumpHost(jump, policy: .pinned([jump.hostKey()])))
        #expect(try await pinned.execute("true", timeout: .seconds(5)).succeeded)
        await #expect {
            _ = try await connect(server, through: jumpHost(jump, policy: .pinned([other.hostKey()])))
        } throws: { error in
            guard case .hostKeyChanged(let target, _, let presented)? = error as? SSHError else { return false }
            return target.isJumpHost && (try? jump.hostKey()) == presented && "\(error)".contains("the host key of jump host root@")
        }
        await #expect {
            _ = try await connect(server, policy: .pinned([other.hostKey()]), through: jumpHost(jump))
        } throws: { error in
            guard case .hostKeyChanged(let target, _, let presented)? = error as? SSHError else { return false }
            return !target.isJumpHost && (try? server.hostKey()) == presented
        }
    }

    @Test func whatTheJumpHostCannotReachIsSaidSo() async throws {
        let jump = try await SSHServer()
        let port = try freePort()
        await #expect {
            _ = try await SSHConnection.connect(
                to: SSHTarget(host: "127.0.0.1", port: port), key: jump.userKey, hostKey: .trustFirst, through: jumpHost(jump),
                timeout: .seconds(10), logger: logger)
        } throws: { error in
            guard case .unreachable(let target, let reason)? = error as? SSHError else { return false }
            return !target.isJumpHost && reason.contains("the jump host cannot or may not connect to it")
        }
        let nobody = SSHJumpHost(target: SSHTarget(host: "127.0.0.1", port: port), key: jump.userKey, hostKey: .trustFirst)
        await #expect {
            _ = try await connect(jump, through: nobody)
        } throws: { error in
            guard case .unreachable(let target, _)? = error as? SSHError else { return false }
            return target.isJumpHost
                && "\(error)".hasPrefix("jump host root@127.0.0.1:\(port) cannot be reached over SSH: Connection refused")
        }
    }

    @Test func whatSaysNothingBehindAJumpHostTimesOut() async throws {
        let jump = try await SSHServer()
        let silent = try SilentListener()
        await #expect {
            _ = try await SSHConnection.connect(
                to: SSHTarget(host: "127.0.0.1", port: silent.port), key: jump.userKey, hostKey: .trustFirst, through: jumpHost(jump),
                timeout: .seconds(3), logger: logger)
        } throws: { error in
            guard case .timeout(let target, "the SSH handshake", _)? = error as? SSHError else { return false }
            return !target.isJumpHost
        }
    }

    @Test func aJumpHostThatDiesTakesTheConnectionAlong() async throws {
        let server = try await SSHServer()
        var jump: SSHServer? = try await SSHServer()
        let connection = try await connect(server, through: jumpHost(try #require(jump)))
        let marker = server.folder + "/started"
        let command = Task { try await connection.execute("touch \(marker); sleep 60", timeout: .seconds(60)) }
        try await waitUntil("the command runs") { FileManager.default.fileExists(atPath: marker) }
        let start = ContinuousClock.now
        jump = nil
        await #expect {
            try await command.value
        } throws: { error in
            if case .connectionLost? = error as? SSHError { true } else { false }
        }
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test func cancellationEndsACommandAtOnceAndManyCommandsLeaveNothing() async throws {
        let (jump, server) = (try await SSHServer(), try await SSHServer())
        let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        for _ in 0..<10 {
            let connection = try await connect(server, through: jumpHost(jump))
            for _ in 0..<5 { #expect(try await connection.execute("true", timeout: .seconds(5)).succeeded) }
            let marker = server.folder + "/started-\(UUID().uuidString)"
            let command = Task { try await connection.execute("touch \(marker); sleep 60", timeout: .seconds(60)) }
            try await waitUntil("the command runs") { FileManager.default.fileExists(atPath: marker) }
            command.cancel()
            await #expect(throws: CancellationError.self) { try await command.value }
        }
        // Other tests run beside this one: only that it does not grow by one each.
        let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        #expect(after < before + 60, "\(before) descriptors before, \(after) after")
    }
}
