import Foundation
import KubernetesAPI

/// What a drain does next, from the pods on the node. Pure.
struct DrainDecision: Equatable {
    /// Pods to ask eviction for.
    var evict: [Pod] = []
    /// Pods that are going.
    var terminating: [Pod] = []
    var isOver: Bool { evict.isEmpty && terminating.isEmpty }

    /// DaemonSets' and mirror pods stay: the first would come back, the second are the node's own.
    init(pods: [Pod]) {
        for pod in pods {
            let isDaemon = pod.metadata.ownerReferences?.contains { $0.kind == "DaemonSet" && $0.controller == true } ?? false
            let isMirror = pod.metadata.annotations?["kubernetes.io/config.mirror"] != nil
            let isFinished = ["Succeeded", "Failed"].contains(pod.status?.phase)
            guard !isDaemon, !isMirror, !isFinished else { continue }
            if pod.metadata.isBeingDeleted { terminating.append(pod) } else { evict.append(pod) }
        }
    }
}
