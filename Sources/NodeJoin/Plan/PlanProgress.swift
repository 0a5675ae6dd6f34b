import NestboxAPI

/// Where a plan stands: a state machine that says what to do next and is told what came of it. Knows no clock and no machine.
struct PlanProgress: Sendable {
    /// What to do next.
    enum Action: Sendable, Equatable {
        case check(Step)
        case perform(Step)
        case undo(Step)
        case pause(Duration)
        case finish(PlanResult)
    }

    /// What came of it.
    enum Event: Sendable, Equatable {
        /// Whether the step is done already.
        case checked(Bool)
        case performed
        case undone
        case paused
        case failed(StepFailure)
    }

    private let plan: Plan
    private var index = 0
    private var attempt = 1
    private var lastFailure: StepFailure?
    private(set) var statuses: [StepStatus]

    init(plan: Plan) {
        self.plan = plan
        statuses = plan.steps.map { StepStatus(name: $0.name, state: .pending) }
    }

    var status: PlanStatus { PlanStatus(name: plan.name, steps: statuses) }

    /// The first action.
    mutating func start(at time: String) -> Action { begin(at: time) }

    /// The next action.
    mutating func next(after event: Event, at time: String) -> Action {
        guard index < plan.steps.count else { return .finish(.succeeded) }
        let step = plan.steps[index]
        switch event {
        case .checked(true), .performed:
            statuses[index].state = .succeeded
            statuses[index].finishedAt = time
            // That it went wrong before stays said: somebody may want to know why it took so long.
            statuses[index].message = statuses[index].message.map { "done at attempt \(attempt), after: \($0)" }
            index += 1
            attempt = 1
            lastFailure = nil
            return begin(at: time)
        case .checked(false):
            return .perform(step)
        case .failed(let failure):
            // An undo that fails changes nothing about what failed first.
            let isUndoing = lastFailure != nil
            if !isUndoing {
                lastFailure = failure
                statuses[index].message = failure.message
                if failure.kind == .failed, step.undo != nil { return .undo(step) }
            }
            return retryOrGiveUp(step, at: time)
        case .undone:
            return retryOrGiveUp(step, at: time)
        case .paused:
            lastFailure = nil
            return step.check == nil ? .perform(step) : .check(step)
        }
    }

    private mutating func begin(at time: String) -> Action {
        guard index < plan.steps.count else { return .finish(.succeeded) }
        statuses[index].state = .running
        statuses[index].startedAt = time
        let step = plan.steps[index]
        return step.check == nil ? .perform(step) : .check(step)
    }

    private mutating func retryOrGiveUp(_ step: Step, at time: String) -> Action {
        let failure = lastFailure ?? StepFailure(kind: .failed, message: "it failed")
        if failure.kind != .refused, attempt < step.retry.attempts {
            attempt += 1
            return .pause(step.retry.delay(afterAttempt: attempt - 1))
        }
        statuses[index].state = .failed
        statuses[index].finishedAt = time
        return .finish(.failed(step: step.name, failure))
    }
}

/// How a plan ended.
public enum PlanResult: Sendable, Equatable {
    case succeeded
    case failed(step: String, StepFailure)
}

/// Why a step was not done.
public struct StepFailure: Error, Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// The machine is not fit, or not ours: somebody must act.
        case refused
        /// Something went wrong there.
        case failed
        /// The connection broke, or none could be made.
        case unreachable
    }
    public var kind: Kind
    /// One sentence, bounded and cleaned.
    public var message: String

    public init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }
}

extension StepFailure: CustomStringConvertible {
    public var description: String { message }
}
