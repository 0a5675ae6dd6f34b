import Foundation
import KubernetesAPI
import NestboxAPI

/// The status in the making: one pass sets what it learned, and it is written once, at the end, when it differs.
struct ClusterReport {
    private(set) var status: HostedClusterStatus
    /// Whether this pass found the control plane lost.
    private(set) var isLost = false
    private var conditions: ConditionSet

    init(_ cluster: HostedCluster) {
        status = cluster.status ?? HostedClusterStatus()
        status.observedGeneration = cluster.metadata.generation
        conditions = ConditionSet(status.conditions, generation: cluster.metadata.generation)
    }

    mutating func set(_ type: String, _ isTrue: Bool, reason: String, message: String = "") {
        conditions.set(type, isTrue, reason: reason, message: message)
        status.conditions = conditions.list
    }

    /// For what can be told neither way.
    mutating func setUnknown(_ type: String, reason: String, message: String) {
        conditions.setUnknown(type, reason: reason, message: message)
        status.conditions = conditions.list
    }

    /// For a condition that no longer means anything.
    mutating func remove(_ type: String) {
        guard status.conditions?.named(type) != nil else { return }
        conditions.remove(type)
        status.conditions = conditions.list
    }

    mutating func update(_ change: (inout HostedClusterStatus) -> Void) {
        change(&status)
    }

    mutating func notAvailable(_ why: String) {
        set("Available", false, reason: "NotServing", message: why)
    }

    /// The control plane's data or keys are gone. Nothing is built over them, and what stood in them is not there any more.
    mutating func lost(_ what: String, with parts: [String] = ["EtcdAvailable", "KubeAPIServerAvailable"]) {
        isLost = true
        set(
            "Available", false, reason: "ControlPlaneLost",
            message: "the control plane is lost: \(what); restore it from a backup, or delete the cluster")
        set("ControlPlaneLost", true, reason: "ControlPlaneLost", message: what)
        for part in parts where status.conditions?.named(part) != nil { set(part, false, reason: "ControlPlaneLost", message: what) }
    }

    /// Keys and data are there, and are this cluster's: one that was lost was restored.
    mutating func found() {
        guard status.conditions?.named("ControlPlaneLost")?.status == "True" else { return }
        set("ControlPlaneLost", false, reason: "Restored")
    }

    /// When to look again at what that condition says is under way: what takes minutes waits for a person, or for a node, and is not asked
    /// for all the time.
    ///
    /// - Parameter limit: seconds after which it waits for somebody.
    func patience(_ look: Duration, with condition: String, for limit: TimeInterval = 180, then later: Duration = .seconds(15)) -> Duration
    {
        let since = status.conditions?.named(condition).flatMap { Timestamp.parse($0.lastTransitionTime) } ?? Date()
        return Date().timeIntervalSince(since) < limit ? look : max(look, later)
    }

    /// Something outside the spec went wrong; the pass will be made again.
    mutating func failed(_ error: any Error) {
        set("ReconciliationSucceeded", false, reason: "Error", message: String("\(error)".prefix(1000)))
    }
}
