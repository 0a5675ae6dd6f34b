import Foundation
import Logging
import NestboxAPI
import SSHClient
import Synchronization
import Testing

@testable import NodeJoin

/// A machine that answers as it was told to, script by script.
private final class ScriptedMachine: MachineShell {
    struct State {
        var answers: [Result<CommandResult, SSHError>]
        var ran: [String] = []
        var uploads: [Upload] = []
        var connections = 0
        var closed = 0
    }
    let state: Mutex<State>

    init(_ answers: [Result<CommandResult, SSHError>]) { state = Mutex(State(answers: answers)) }

    var connect: @Sendable () async throws -> any MachineShell {
        {
            self.state.withLock { $0.connections += 1 }
            return self
        }
    }

    func run(_ text: String, timeout: Duration) async throws -> CommandResult {
        try state.withLock { state in
            let body = text.split(separator: "\n").drop { $0 != "now=1000" }.dropFirst().prefix { $0 != "}" }
            state.ran.append(body.joined(separator: "\n"))
            return try state.answers.isEmpty ? ok() : state.answers.removeFirst().get()
        }
    }

    func upload(_ upload: Upload) async throws { state.withLock { $0.uploads.append(upload) } }
    func close() async { state.withLock { $0.closed += 1 } }
}

private func ok(_ text: String = "") -> CommandResult { CommandResult(status: 0, stdout: Array((text + "@end\n").utf8)) }
private func failed(_ status: Int32, _ words: String) -> CommandResult { CommandResult(status: status, stderr: Array(words.utf8)) }
private let target = SSHTarget(host: "192.0.2.1")

struct PlanRunnerTests {
    private func run(
        _ plan: Plan, on machine: ScriptedMachine, report: @escaping @Sendable (PlanReport) async throws -> Void = { _ in }
    ) async throws -> PlanOutcome {
        try await PlanRunner(
            connect: machine.connect, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            now: { Date(timeIntervalSince1970: 1000) }, pause: { _ in }, report: report
        ).run(plan)
    }

    @Test func aPlanRunsInOrderBehindItsFence() async throws {
        let upload = Upload(LocalFile(path: "/x", sha256: "00"), to: "/y")
        let machine = ScriptedMachine([.success(failed(1, "")), .success(ok("@kernel=6.1\n"))])
        let plan = Plan(
            name: "Test", fence: "fence",
            steps: [
                Step("A", check: "check a", actions: [.script("do a")]), Step("B", actions: [.upload([upload]), .script("do b")]),
                Step("C", actions: [.script("do c")], fenced: false),
            ])
        let reports = Mutex<[PlanReport]>([])
        let outcome = try await run(plan, on: machine) { report in reports.withLock { $0.append(report) } }
        #expect(outcome == PlanOutcome(result: .succeeded, outputs: ["kernel": "6.1"]))
        machine.state.withLock {
            #expect($0.ran == ["check a", "fence\ndo a", "fence", "fence\ndo b", "do c"])
            #expect($0.uploads == [upload])
            #expect($0.connections == 1 && $0.closed == 1)
        }
        let seen = reports.withLock { $0 }
        #expect(
            seen.map { $0.status.steps.map(\.state) } == [
                [.running, .pending, .pending], [.succeeded, .running, .pending], [.succeeded, .succeeded, .running],
                [.succeeded, .succeeded, .succeeded],
            ])
        // What the machine reported is told before the next step begins.
        #expect(seen[1].outputs == ["kernel": "6.1"])
        #expect(seen[0].status.steps[0].startedAt == "1970-01-01T00:16:40Z")
    }

    @Test func aBrokenConnectionIsMadeAnew() async throws {
        let broken = SSHError.connectionLost(target, operation: "a command", reason: "reset")
        let machine = ScriptedMachine([.failure(broken), .success(ok())])
        let outcome = try await run(Plan(name: "Test", steps: [Step("A", actions: [.script("do a")])]), on: machine)
        #expect(outcome.result == .succeeded)
        machine.state.withLock { #expect($0.connections == 2 && $0.ran == ["do a", "do a"]) }
    }

    /// sshd that is killed closes the channel as politely as a command that ended well, with status 0.
    @Test func aScriptThatDidNotReachItsEndHasNotSucceeded() async throws {
        let machine = ScriptedMachine([.success(CommandResult(status: 0)), .success(ok())])
        let outcome = try await run(Plan(name: "Test", steps: [Step("A", actions: [.script("do a")])]), on: machine)
        #expect(outcome.result == .succeeded)
        machine.state.withLock { #expect($0.connections == 2) }
    }

    @Test(arguments: [
        (failed(78, "swap is on"), StepFailure(kind: .refused, message: "swap is on")),
        (failed(1, "a\u{1b}[1mb\nc"), StepFailure(kind: .failed, message: "ab c")),
        (failed(124, ""), StepFailure(kind: .failed, message: "it took longer than 60 s")),
        (failed(3, ""), StepFailure(kind: .failed, message: "the script ended with status 3 and said nothing")),
        (
            CommandResult(status: 128, signal: "KILL"),
            StepFailure(kind: .failed, message: "the script ended with signal KILL and said nothing")
        ),
        (
            failed(1, "sudo: a password is required"),
            StepFailure(
                kind: .refused,
                message: "the user may not use sudo without a password, as Nestbox must: sudo: a password is required")
        ),
    ])
    func failuresSpeakInTheMachinesWords(_ result: CommandResult, _ failure: StepFailure) async throws {
        let machine = ScriptedMachine([.success(result), .success(result)])
        let outcome = try await run(
            Plan(name: "Test", steps: [Step("A", actions: [.script("do a")], retry: RetryRule(attempts: 2))]), on: machine)
        #expect(outcome.result == .failed(step: "A", failure))
        machine.state.withLock { #expect($0.ran.count == (failure.kind == .refused ? 1 : 2)) }
    }

    @Test func aRefusedKeyIsNotTriedAgain() async throws {
        let error = SSHError.authenticationRefused(target, reason: "the server does not accept this key for user root")
        let machine = ScriptedMachine([.failure(error)])
        let outcome = try await run(Plan(name: "Test", steps: [Step("A", actions: [.script("do a")])]), on: machine)
        #expect(outcome.result == .failed(step: "A", StepFailure(kind: .refused, message: "\(error)")))
    }

    @Test func whoMayNoLongerReportDoesNoMore() async throws {
        struct Superseded: Error {}
        let machine = ScriptedMachine([])
        await #expect(throws: Superseded.self) {
            try await run(
                Plan(name: "Test", steps: [Step("A", actions: [.script("do a")]), Step("B", actions: [.script("do b")])]), on: machine
            ) { report in
                if report.status.steps[0].state == .succeeded { throw Superseded() }
            }
        }
        machine.state.withLock { #expect($0.ran == ["do a"] && $0.closed == 1) }
    }

    @Test func outputsAreBoundedAndCleaned() async throws {
        let many = (0..<100).map { "@key\($0)=\u{1b}[1mvalue\n" }.joined() + "@long=\(String(repeating: "x", count: 5000))\nnoise\n"
        let machine = ScriptedMachine([.success(ok(many))])
        let outcome = try await run(Plan(name: "Test", steps: [Step("A", actions: [.script("do a")])]), on: machine)
        #expect(outcome.outputs.count == 64)
        #expect(outcome.outputs["key0"] == "value")
    }
}
