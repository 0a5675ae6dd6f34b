import Logging
import NestboxAPI
import SSHClient

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How a plan stands, and what the machine reported so far (`report KEY VALUE` in scripts).
public struct PlanReport: Sendable, Equatable {
    public var status: PlanStatus
    public var outputs: [String: String]
}

/// What came of a plan.
public struct PlanOutcome: Sendable, Equatable {
    public var result: PlanResult
    public var outputs: [String: String]
}

/// Carries a plan out on a machine, reconnecting when the connection breaks. A plan that was begun before, by whomever, goes
/// on where it is: steps that are done are skipped by their checks.
public struct PlanRunner: Sendable {
    private let connect: @Sendable () async throws -> any MachineShell
    private let report: @Sendable (PlanReport) async throws -> Void
    private let logger: Logger
    private let now: @Sendable () -> Date
    private let pause: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - report: called before each step and after it, and awaited: what it throws ends the run, so that an operator that
    ///     may no longer write (its lease is lost) also does no more.
    public init(
        connect: @escaping @Sendable () async throws -> any MachineShell, logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() },
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        report: @escaping @Sendable (PlanReport) async throws -> Void
    ) {
        self.connect = connect
        self.logger = logger
        self.now = now
        self.pause = pause
        self.report = report
    }

    /// Runs to the end or to the first step that fails for good. Throws only when cancelled, or what `report` throws.
    public func run(_ plan: Plan) async throws -> PlanOutcome {
        var run = PlanRun(plan: plan, connect: connect, now: now, logger: logger)
        var progress = PlanProgress(plan: plan)
        var action = progress.start(at: timestamp)
        var reported: PlanReport?
        func publish() async throws {
            let current = PlanReport(status: progress.status, outputs: run.outputs)
            if current != reported { try await report(current) }
            reported = current
        }
        do {
            while true {
                try await publish()
                let event: PlanProgress.Event
                switch action {
                case .finish(let result):
                    await run.disconnect()
                    return PlanOutcome(result: result, outputs: run.outputs)
                case .pause(let duration):
                    try await pause(duration)
                    event = .paused
                case .check(let step): event = try await run.check(step)
                case .perform(let step): event = try await run.perform(step)
                case .undo(let step): event = try await run.undo(step)
                }
                if case .failed(let failure) = event {
                    logger.warning("a step failed", metadata: ["plan": "\(plan.name)", "reason": "\(failure.message)"])
                }
                action = progress.next(after: event, at: timestamp)
            }
        } catch {
            await run.disconnect()
            throw error
        }
    }

    private var timestamp: String { now().formatted(.iso8601) }
}

/// One run's connection and what it heard.
private struct PlanRun {
    let plan: Plan
    let connect: @Sendable () async throws -> any MachineShell
    let now: @Sendable () -> Date
    let logger: Logger
    private(set) var outputs: [String: String] = [:]
    private var shell: (any MachineShell)?

    init(
        plan: Plan, connect: @escaping @Sendable () async throws -> any MachineShell, now: @escaping @Sendable () -> Date, logger: Logger
    ) {
        self.plan = plan
        self.connect = connect
        self.now = now
        self.logger = logger
    }

    mutating func check(_ step: Step) async throws -> PlanProgress.Event {
        guard let check = step.check else { return .checked(false) }
        return try await attempt(step) { run throws(StepFailure) in
            // Without the fence: looking is always allowed.
            let result = try await run.execute(check, step)
            return .checked(result.succeeded && result.reachedEnd)
        }
    }

    mutating func perform(_ step: Step) async throws -> PlanProgress.Event {
        try await attempt(step) { run throws(StepFailure) in
            for action in step.actions {
                switch action {
                case .script(let script): try await run.succeed(script, step)
                case .upload(let uploads):
                    if step.fenced, let fence = run.plan.fence { try await run.succeed(fence, step) }
                    for upload in uploads { try await run.upload(upload) }
                }
            }
            return .performed
        }
    }

    mutating func undo(_ step: Step) async throws -> PlanProgress.Event {
        guard let undo = step.undo else { return .undone }
        return try await attempt(step) { run throws(StepFailure) in
            try await run.succeed(undo, step)
            return .undone
        }
    }

    mutating func disconnect() async {
        await shell?.close()
        shell = nil
    }

    private mutating func attempt(
        _ step: Step, _ body: (inout PlanRun) async throws(StepFailure) -> PlanProgress.Event
    ) async throws -> PlanProgress.Event {
        do {
            return try await body(&self)
        } catch {
            try Task.checkCancellation()
            if error.kind == .unreachable { await disconnect() }
            return .failed(error)
        }
    }

    private mutating func succeed(_ script: Script, _ step: Step) async throws(StepFailure) {
        let fence = step.fenced && script != plan.fence ? plan.fence : nil
        let result = try await execute(fence.map { $0 + script } ?? script, step)
        if let failure = StepFailure(result, timeout: step.timeout) { throw failure }
    }

    private mutating func execute(_ script: Script, _ step: Step) async throws(StepFailure) -> CommandResult {
        do {
            let seconds = Int(now().timeIntervalSince1970)
            let limit = step.timeout + PlanTurn.patience
            let result = try await connected().run(script.rendered(now: seconds, timeout: limit), timeout: limit)
            for (key, value) in result.reports where outputs.count < 64 || outputs[key] != nil { outputs[key] = value }
            return result
        } catch {
            throw StepFailure(error)
        }
    }

    private mutating func upload(_ upload: Upload) async throws(StepFailure) {
        do { try await connected().upload(upload) } catch { throw StepFailure(error) }
    }

    private mutating func connected() async throws -> any MachineShell {
        if let shell { return shell }
        let made = try await connect()
        shell = made
        return made
    }
}

extension StepFailure {
    /// From what kept us from running anything.
    init(_ error: any Error) {
        switch error {
        case let error as SSHError:
            self.init(kind: error.kind, message: MachineWords.cleaned("\(error)"))
        case let failure as StepFailure:
            self = failure
        default:
            self.init(kind: .unreachable, message: MachineWords.cleaned("\(error)"))
        }
    }

    /// From what a script left; nil when it ran to its end.
    init?(_ result: CommandResult, timeout: Duration, isWhole: Bool? = nil) {
        let words = MachineWords.cleaned(result.stderr)
        switch result.status {
        case 0 where result.signal == nil:
            if isWhole ?? result.reachedEnd { return nil }
            self.init(kind: .unreachable, message: "the connection closed before the script's end")
        case ScriptStatus.refused: self.init(kind: .refused, message: words)
        // Nothing was done, and nothing is wrong: as good as not reached yet.
        case ScriptStatus.busy: self.init(kind: .unreachable, message: words)
        case ScriptStatus.timedOut:
            self.init(kind: .failed, message: "it took longer than \(timeout.components.seconds) s" + (words.isEmpty ? "" : ": \(words)"))
        case _ where words.hasPrefix("sudo:"):
            self.init(kind: .refused, message: "the user may not use sudo without a password, as Nestbox must: \(words)")
        case 127 where words.contains("sudo: "):
            self.init(kind: .refused, message: "the user is not root, and the machine has no sudo: install it, or give Nestbox root")
        default:
            let how = result.signal.map { "signal \($0)" } ?? "status \(result.status)"
            self.init(kind: .failed, message: words.isEmpty ? "the script ended with \(how) and said nothing" : words)
        }
    }
}

extension SSHError {
    fileprivate var kind: StepFailure.Kind {
        switch self {
        case .unreachable, .handshakeFailed, .timeout, .connectionLost: .unreachable
        case .hostKeyChanged, .authenticationRefused, .unusableKey, .library: .refused
        case .uploadFailed: .failed
        }
    }
}

extension CommandResult {
    fileprivate var lines: [Substring] { text.split(separator: "\n") }

    var reachedEnd: Bool { lines.last.map { $0 == Script.endMarker } ?? false }

    /// `@key=value` lines.
    var reports: [(key: String, value: String)] {
        lines.compactMap { line in
            guard line.hasPrefix("@"), let equals = line.firstIndex(of: "=") else { return nil }
            let key = line[line.index(after: line.startIndex)..<equals]
            return (MachineWords.cleaned(String(key), limit: 64), MachineWords.cleaned(String(line[line.index(after: equals)...])))
        }
    }
}
