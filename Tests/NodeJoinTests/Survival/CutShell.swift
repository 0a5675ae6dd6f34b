import Logging
import NestboxAPI
import SSHClient
import Synchronization

@testable import NodeJoin

/// What can happen to a plan between two moments.
enum Cut: String, CaseIterable, Sendable {
    /// The connection breaks before the machine hears of the next call, while it is at work on it, or when it has done it and could not say so.
    case lineBefore, lineDuring, lineAfter
    /// As `lineDuring` and `lineAfter`, and the operator with it: another one goes on.
    case operatorDuring, operatorAfter
    /// Whatever runs there ends at once, and what was not on disk is gone.
    case rebootDuring, rebootAfter
}

/// Counts the calls of a run and cuts one of them.
final class Cutter: Sendable {
    struct OperatorKilled: Error {}

    private struct State {
        var calls = 0
        var target: Int?
        var isKilled = false
        var fired: String?
    }
    private let state = Mutex(State())
    private let machine: TestMachine
    let cut: Cut
    /// How long the machine is left at work.
    let delay: Duration

    init(_ machine: TestMachine, _ cut: Cut, delay: Duration) {
        self.machine = machine
        self.cut = cut
        self.delay = delay
    }

    func arm(_ target: Int) { state.withLock { $0 = State(target: target) } }
    var fired: Bool { state.withLock { $0.fired != nil } }
    var calls: Int { state.withLock { $0.calls } }

    /// Before each step and after it: a dead operator writes nothing.
    func report(_ report: PlanReport) throws { if state.withLock({ $0.isKilled }) { throw OperatorKilled() } }

    func connect() async throws -> any MachineShell {
        if state.withLock({ $0.isKilled }) { throw OperatorKilled() }
        return CutShell(shell: try await machine.connect(), cutter: self)
    }

    fileprivate func call<Result: Sendable>(
        _ what: String, on shell: SSHMachineShell, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let isCut = state.withLock { state in
            defer { state.calls += 1 }
            guard state.calls == state.target else { return false }
            state.fired = what
            return true
        }
        guard isCut else { return try await body() }
        switch cut {
        case .lineBefore: break
        case .lineAfter, .operatorAfter, .rebootAfter: _ = try? await body()
        case .lineDuring, .operatorDuring, .rebootDuring:
            let work = Task { try await body() }
            try await Task.sleep(for: delay)
            // Cancelling takes the connection with it, and the machine is not told.
            if cut == .rebootDuring { try await machine.reboot() } else { work.cancel() }
            _ = await work.result
        }
        if cut == .rebootAfter { try await machine.reboot() }
        await shell.close()
        if [.operatorDuring, .operatorAfter].contains(cut) { state.withLock { $0.isKilled = true } }
        throw SSHError.connectionLost(shell.connection.target, operation: what, reason: "cut by the test")
    }
}

private struct CutShell: MachineShell {
    let shell: SSHMachineShell
    let cutter: Cutter

    func run(_ text: String, timeout: Duration) async throws -> CommandResult {
        try await cutter.call("a script", on: shell) { try await shell.run(text, timeout: timeout) }
    }

    func upload(_ upload: Upload) async throws {
        try await cutter.call("the upload of \(upload.path)", on: shell) { try await shell.upload(upload) }
    }

    func close() async { await shell.close() }
}
