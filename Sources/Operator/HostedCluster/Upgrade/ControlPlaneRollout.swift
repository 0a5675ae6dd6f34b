import ControlPlane
import KubernetesAPI
import NodeJoin

/// How far the control-plane pods have become what their Deployment says. Pure.
struct ControlPlaneRollout: Equatable {
    enum State: Equatable {
        case complete
        /// The Deployment is still what it was: something else comes first.
        case notBegun
        case underWay
        /// The Deployment's progress deadline is over: what served before goes on serving.
        case stopped
    }

    var state: State
    /// How many replicas are new, and what keeps the next one from being so, in the host's and the containers' words.
    var words: String
    /// Whether a replica of what is rolled out serves.
    var hasServed: Bool
}

extension ControlPlaneRollout {
    /// - Parameter images: those of the API server and the tunnel server, by which a pod of what is rolled out is known.
    init(_ deployment: Deployment, pods: [Pod], images: Set<String>) {
        let wanted = deployment.spec?.replicas ?? 1
        let new = pods.filter { $0.runs(images) }
        let ready = new.count(where: \.isReady)
        if Self.isComplete(deployment) {
            self.init(state: .complete, words: "", hasServed: true)
            return
        }
        let isSeen = Self.isSeen(deployment)
        let late =
            isSeen
            && deployment.status?.conditions?.contains { $0.type == "Progressing" && $0.reason == "ProgressDeadlineExceeded" } == true
        let trouble = new.lazy.compactMap(PodTrouble.words).first
        self.init(
            state: late ? .stopped : .underWay,
            words: "\(min(ready, wanted)) of \(wanted) replicas are new and ready" + (trouble.map { ": \($0)" } ?? ""), hasServed: ready > 0
        )
    }
}

extension ControlPlaneRollout {
    /// Whether all replicas are new, and no other is there.
    static func isComplete(_ deployment: Deployment) -> Bool {
        let wanted = deployment.spec?.replicas ?? 1
        let status = deployment.status
        return isSeen(deployment) && status?.updatedReplicas == wanted && status?.replicas == wanted
            && (status?.availableReplicas ?? 0) >= wanted
    }

    /// Whether the status is of the template as it is.
    private static func isSeen(_ deployment: Deployment) -> Bool {
        (deployment.status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
    }
}

extension Pod {
    func runs(_ images: Set<String>) -> Bool { images.isSubset(of: spec?.containers?.compactMap(\.image) ?? []) }

    var isReady: Bool { status?.conditions?.contains { $0.type == "Ready" && $0.status == "True" } == true }

    /// Why the scheduler finds no node for it; nil when it has not said so.
    var unscheduled: StatusCondition? { status?.conditions?.first { $0.type == "PodScheduled" && $0.status == "False" } }
}

/// What keeps a pod from being ready.
enum PodTrouble {
    /// In the host's words, with what a container that failed said last; nil while it is only starting.
    static func words(_ pod: Pod) -> String? {
        if let unscheduled = pod.unscheduled {
            return "pod \(pod.name) is not scheduled: \(unscheduled.message ?? unscheduled.reason ?? "")"
        }
        for container in (pod.status?.initContainerStatuses ?? []) + (pod.status?.containerStatuses ?? []) {
            let ended = container.state?.terminated ?? container.lastState?.terminated
            let waiting = container.state?.waiting
            guard let reason = waiting?.reason ?? (ended.map { $0.reason ?? "Ended" }), reason != "ContainerCreating",
                reason != "PodInitializing", waiting != nil || container.ready != true
            else { continue }
            var words = ["container \(container.name) of pod \(pod.name): \(reason)"]
            if let message = waiting?.message, ended == nil { words.append(message) }
            if let ended, ended.exitCode != 0 {
                words.append("it ended with \(ended.exitCode.map { "\($0)" } ?? "an unknown code")")
                if let message = ended.message, !message.isEmpty { words.append("and said last: \(message)") }
            }
            return MachineWords.cleaned(words.joined(separator: " "), limit: 600)
        }
        return nil
    }
}
