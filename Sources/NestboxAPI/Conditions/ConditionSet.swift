public import FoundationEssentials
public import KubernetesAPI

/// The conditions of one object while a pass over it goes on.
///
/// What is set anew with the same status keeps its time of transition, and every condition its place: a pass that learns nothing
/// new leaves an equal list, and so writes nothing.
public struct ConditionSet: Sendable, Equatable {
    /// In the order in which they were first set.
    public private(set) var list: [Condition]
    /// As they were before the pass: what a pass sets and takes back has made no transition.
    private let before: [Condition]
    private let generation: Int?
    private let now: Date

    /// - Parameters:
    ///   - conditions: those that the object has.
    ///   - generation: the object's, which is what this pass observes.
    public init(_ conditions: [Condition]?, generation: Int?, now: Date = Date()) {
        list = conditions ?? []
        before = list
        self.generation = generation
        self.now = now
    }

    public mutating func set(_ type: String, _ isTrue: Bool, reason: String, message: String) {
        put(type, isTrue ? "True" : "False", reason, message)
    }

    /// For what cannot be told now, which is neither True nor False.
    public mutating func setUnknown(_ type: String, reason: String, message: String) {
        put(type, "Unknown", reason, message)
    }

    /// For a condition that no longer means anything, as of an addon that was turned off.
    public mutating func remove(_ type: String) {
        list.removeAll { $0.type == type }
    }

    private mutating func put(_ type: String, _ status: String, _ reason: String, _ message: String) {
        var condition = Condition(
            type: type, status: status, reason: reason, message: Self.bounded(message), observedGeneration: generation,
            lastTransitionTime: Timestamp.format(now))
        if let known = before.named(type), known.status == status { condition.lastTransitionTime = known.lastTransitionTime }
        guard let index = list.firstIndex(where: { $0.type == type }) else { return list.append(condition) }
        list[index] = condition
    }

    /// A message that is too long for the schema would keep the whole status from being written.
    private static func bounded(_ message: String) -> String {
        let longest = 32_768
        guard message.unicodeScalars.count > longest else { return message }
        return String(message.unicodeScalars.prefix(longest - 1)) + "…"
    }
}
