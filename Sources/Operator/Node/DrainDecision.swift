import KubernetesAPI

/// What a drain does next, from the pods on the node. Pure.
///
/// As `kubectl drain --force --delete-emptydir-data` would: the machine leaves for good, so that pods without a controller and data
/// in emptyDirs cannot stay with it.
struct DrainDecision: Equatable {
    /// Pods to ask eviction for.
    var evict: [Pod] = []
    /// Pods that are going.
    var terminating: [Pod] = []
    /// Pods that stay: a DaemonSet's would come back, and a mirror pod is the node's own.
    var staying: [Pod] = []
    var isOver: Bool { evict.isEmpty && terminating.isEmpty }

    init(pods: [Pod]) {
        for pod in pods {
            let isDaemon = pod.metadata.ownerReferences?.contains { $0.kind == "DaemonSet" && $0.controller == true } ?? false
            let isMirror = pod.metadata.annotations?["kubernetes.io/config.mirror"] != nil
            if isDaemon || isMirror {
                staying.append(pod)
            } else if ["Succeeded", "Failed"].contains(pod.status?.phase) {
                // Nothing runs of it any more.
                continue
            } else if pod.metadata.isBeingDeleted {
                terminating.append(pod)
            } else {
                evict.append(pod)
            }
        }
    }
}
