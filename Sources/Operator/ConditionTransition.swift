import ControllerRuntime
import KubernetesAPI
import NestboxAPI

/// A change of a condition, as an Event tells of it. Pure.
struct ConditionTransition: Equatable {
    var type: EventType
    var reason: String
    var message: String
}

extension ConditionTransition {
    /// What somebody asked for, or what everything begins with: no cause for alarm, though the status is not the good one.
    private static let expected: Set = ["Paused", "Requested", "Disabled", "Deleting", "TakingSnapshot", "NoNodes"]
    private static let beginnings: Set = ["NotReady", "NotServing", "NoAddress", "NotInstalled", "NotAvailable"]

    private static func isNew(_ before: Condition?) -> Bool { before == nil || before?.status == "Unknown" }

    /// What changed between two looks at an object's conditions: a status, or the reason of one that is not the good one.
    ///
    /// - Parameters:
    ///   - old: nil for an object whose status was never written: then only what is not good is worth a word.
    ///   - types: those that are told of.
    static func between(_ old: [Condition]?, _ new: [Condition]?, types: [ConditionType]) -> [ConditionTransition] {
        (new ?? []).compactMap { condition in
            guard let type = types.first(where: { $0.name == condition.type }) else { return nil }
            let before = old?.named(type.name)
            let isBad = type.healthy != nil && condition.status != type.healthy
            guard before?.status != condition.status || (isBad && before?.reason != condition.reason) else { return nil }
            guard old != nil || isBad else { return nil }
            let isAlarm = isBad && !expected.contains(condition.reason) && !(isNew(before) && beginnings.contains(condition.reason))
            return ConditionTransition(
                type: isAlarm ? .warning : .normal, reason: condition.reason,
                message: "\(condition.type) is \(condition.status)" + (condition.message.isEmpty ? "" : ": \(condition.message)"))
        }
    }
}

extension EventRecorder {
    /// Tells of each change of a condition between two statuses of an object.
    func record(transitionsFrom old: [Condition]?, to new: [Condition]?, types: [ConditionType], on object: any KubernetesObject) async {
        for transition in ConditionTransition.between(old, new, types: types) {
            await record(transition.type, reason: transition.reason, message: transition.message, on: object)
        }
    }
}
