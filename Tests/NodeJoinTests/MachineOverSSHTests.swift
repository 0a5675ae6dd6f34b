import Foundation
import Logging
import NestboxAPI
import SSHClient
import Synchronization
import TestSSHServer
import Testing

@testable import NodeJoin

/// Plans and looks over OpenSSH's own server, with all that is wrong about machines.
@Suite(.enabled(if: SSHServer.isAvailable, "needs root and sshd (NESTBOX_SSHD, /usr/sbin/sshd)"), .timeLimit(.minutes(10)))
struct MachineOverSSHTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func shell(
        _ server: SSHServer, user: String = "root", port: Int? = nil, key: SSHPrivateKey? = nil, policy: HostKeyPolicy = .trustFirst
    ) async throws -> SSHMachineShell {
        SSHMachineShell(
            try await SSHConnection.connect(
                to: SSHTarget(host: "127.0.0.1", port: port ?? server.port, user: user), key: key ?? server.userKey, hostKey: policy,
                timeout: .seconds(10), logger: Self.logger))
    }

    /// A plan of one step that does nothing, tried once.
    private func outcome(_ connect: @escaping @Sendable () async throws -> any MachineShell) async throws -> StepFailure? {
        let plan = Plan(name: "Test", steps: [Step("Look", actions: [.script(Script("true"))], retry: .once)])
        let outcome = try await PlanRunner(connect: connect, logger: Self.logger) { _ in }.run(plan)
        if case .failed("Look", let failure) = outcome.result { return failure }
        return nil
    }

    @Test func aSoundMachineIsNoTrouble() async throws {
        let server = try await SSHServer()
        let found = try await outcome { try await shell(server) }
        #expect(found == nil, "\(found?.message ?? "")")
        let facts = try await MachineFacts.gather(on: shell(server))
        #expect(facts.architecture != nil && facts.machineID != nil)
    }

    @Test func nobodyListens() async throws {
        let server = try await SSHServer()
        let port = try freePort()
        let failure = try #require(try await outcome { try await shell(server, port: port) })
        #expect(failure.kind == .unreachable)
        #expect(
            failure.message == "root@127.0.0.1:\(port) cannot be reached over SSH: Connection refused; "
                + "check that the machine is up, its address and port, and firewalls between")
    }

    @Test func aWrongKeyOrUserIsRefusedOnce() async throws {
        let server = try await SSHServer()
        let other = try await SSHServer()
        let stranger = other.userKey
        for failure in [
            try await outcome { try await shell(server, key: stranger) },
            try await outcome { try await shell(server, user: "no-such-user") },
        ] {
            #expect(failure?.kind == .refused)
            #expect(failure?.message.hasSuffix("check the user and that the public key is in its authorized_keys") == true)
        }
    }

    @Test func aChangedHostKeyIsRefused() async throws {
        let server = try await SSHServer()
        let other = try await SSHServer()
        let pinned = try other.hostKey()
        let failure = try #require(try await outcome { try await shell(server, policy: .pinned([pinned])) })
        #expect(failure.kind == .refused)
        #expect(failure.message.contains("is pinned: this is another machine, a reinstalled one, or someone in between"))
    }

    @Test func aUserWhoMayNotBecomeRootIsRefused() async throws {
        let server = try await SSHServer()
        // Both the plan and the first look say so.
        let failure = try #require(try await outcome { try await shell(server, user: SSHServer.plainUser) })
        #expect(failure.kind == .refused)
        #expect(failure.message.contains("sudo"), "\(failure.message)")
        await #expect(throws: failure) { try await MachineFacts.gather(on: shell(server, user: SSHServer.plainUser)) }
    }

    @Test func aMachineThatVanishesDuringAStepIsTakenUpAgain() async throws {
        let server = try await SSHServer()
        let (marker, count) = (server.folder + "/first", server.folder + "/count")
        let step = Step(
            "Vanish",
            actions: [
                // The session's own sshd, as if the line were cut in the middle.
                .script(
                    Script(
                        """
                        echo once >> \(count)
                        if [ ! -e \(marker) ]; then
                            touch \(marker)
                            kill -KILL "$(ps -o ppid= -p "$PPID")"
                            sleep 10
                        fi
                        """))
            ], retry: RetryRule(attempts: 2, delay: .milliseconds(10)))
        let seen = Mutex<[String]>([])
        let connections = Atomic(0)
        let runner = PlanRunner(
            connect: {
                connections.add(1, ordering: .relaxed)
                return try await shell(server)
            }, logger: Self.logger
        ) { report in
            seen.withLock { $0 += [report.status.steps[0].message].compactMap { $0 } }
        }
        let outcome = try await runner.run(Plan(name: "Test", steps: [step, Step("After", actions: [.script(Script("true"))])]))
        #expect(outcome.result == .succeeded)
        #expect(connections.load(ordering: .relaxed) == 2)
        #expect(try String(contentsOfFile: count, encoding: .utf8) == "once\nonce\n")
        let messages = seen.withLock { $0 }
        #expect(messages.first?.contains("connection") == true, "\(messages)")
        #expect(messages.last?.hasPrefix("done at attempt 2, after: ") == true, "\(messages)")
    }

    @Test func aNodeOfAnotherClusterIsRefused() async throws {
        let server = try await SSHServer()
        let shell = try await shell(server)
        // In the process namespace of this server, which has nothing else in it.
        let kubelet = server.folder + "/kubelet"
        let start = try await shell.run("cp /bin/sleep \(kubelet); \(kubelet) 60 > /dev/null 2>&1 &", timeout: .seconds(5))
        #expect(start.succeeded)
        let check = Script("problem() { refuse \"$*\"; }\n\(PreflightStep.otherClusters(JoinParameters.example().tools))")
        let plan = Plan(name: "Test", steps: [Step("Preflight", actions: [.script(check)])])
        let outcome = try await PlanRunner(connect: { shell }, logger: Self.logger) { _ in }.run(plan)
        #expect(
            outcome.result
                == .failed(
                    step: "Preflight", StepFailure(kind: .refused, message: "'kubelet' runs on it: it is a node of some cluster already")))
    }
}
