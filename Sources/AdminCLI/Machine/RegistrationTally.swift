import KubernetesAPI
import NestboxAPI

/// How many of the Machines that are waited for were registered, and what is wrong with the others. Pure.
struct RegistrationTally {
    enum State: Equatable {
        case waiting(String)
        case registered
        case failed(String)
    }

    /// How long a machine that does not answer may take to do so; it may be booting.
    static let patience = Duration.seconds(45)

    private(set) var states: [String: State]
    private var troubledSince: [String: ContinuousClock.Instant] = [:]

    init(_ names: [String]) {
        states = Dictionary(names.map { ($0, State.waiting("the operator has not seen it yet")) }, uniquingKeysWith: { $1 })
    }

    /// Notes how a Machine is. True when that is news, and not only another reason to wait.
    mutating func see(_ machine: Machine, now: ContinuousClock.Instant) -> Bool {
        guard let before = states[machine.name] else { return false }
        let state = state(of: machine, now: now)
        states[machine.name] = state
        if case .waiting = state { return false }
        return state != before
    }

    mutating func lose(_ name: String) -> Bool {
        guard states[name] != nil else { return false }
        states[name] = .failed("it was deleted")
        return true
    }

    /// Gives up on those that have not answered for too long; their names.
    mutating func giveUp(now: ContinuousClock.Instant) -> [String] {
        var names: [String] = []
        for (name, since) in troubledSince where now - since >= Self.patience {
            guard case .waiting(let words) = states[name] else { continue }
            states[name] = .failed(words)
            names.append(name)
        }
        return names.sorted()
    }

    private mutating func state(of machine: Machine, now: ContinuousClock.Instant) -> State {
        let status = machine.status
        if status?.phase == .quarantined { return .failed("it is Quarantined: \(status?.message ?? "the operator did not say why")") }
        if status?.phase != nil {
            troubledSince[machine.name] = nil
            return .registered
        }
        let trouble = ["Registered", "Reachable"].compactMap { status?.conditions?.named($0) }.first { $0.status == "False" }
        guard let trouble else { return .waiting("the operator has not seen it yet") }
        // Somebody must act.
        if trouble.reason != "SSHFailed" { return .failed(trouble.message) }
        let since = troubledSince[machine.name] ?? now
        troubledSince[machine.name] = since
        return now - since >= Self.patience ? .failed(trouble.message) : .waiting(trouble.message)
    }

    var isOver: Bool { waiting.isEmpty }
    var registered: Int { states.values.count { $0 == .registered } }

    var waiting: [(name: String, why: String)] {
        states.compactMap { name, state in if case .waiting(let words) = state { (name, words) } else { nil } }.sorted { $0.name < $1.name }
    }

    var failed: [(name: String, why: String)] {
        states.compactMap { name, state in if case .failed(let words) = state { (name, words) } else { nil } }.sorted { $0.name < $1.name }
    }

    /// `41 of 200 machines are registered, 2 have failed`.
    var line: String {
        "\(registered) of \(states.count) machines are registered" + (failed.isEmpty ? "" : ", \(failed.count) failed")
    }
}
