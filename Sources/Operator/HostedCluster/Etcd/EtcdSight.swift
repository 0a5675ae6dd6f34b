import ControlPlane
import KubernetesAPI

/// What is seen of one cluster's etcd, by the host and by etcd's leader.
struct EtcdSight: Equatable, Sendable {
    /// By its own list, in the order of their pods.
    var members: [EtcdMember]
    /// Of those that answer, by ordinal.
    var statuses: [Int: EtcdStatus]
    /// Ids of members whose data differs from the others'.
    var corrupt: Set<String> = []
    /// Pods that the StatefulSet is to run.
    var replicas: Int
    var volumes: [Int: EtcdVolume]
    var pods: [Int: EtcdPod]
    /// Ordinals of pods that were made from an earlier template.
    var outdated: Set<Int> = []
    /// Of pods whose kubelet says that they serve.
    var ready: Set<Int> = []
}

extension EtcdSight {
    var voters: [EtcdMember] { members.filter { !$0.isLearner } }

    /// Whether it answers, and follows a leader.
    func isWell(_ member: EtcdMember) -> Bool { member.ordinal.flatMap { statuses[$0] }?.hasLeader == true }

    /// Ordinals of the members to be told to one that joins; nil while none does. Only a learner joins: a voter that never started is
    /// replaced by one.
    var joining: [Int]? {
        guard members.contains(where: { $0.isLearner && !$0.hasStarted }) else { return nil }
        return members.compactMap(\.ordinal).sorted()
    }
}

/// A member's pod, as far as it matters to whether the member can be had.
enum EtcdPod: Equatable, Sendable {
    /// It waits for a node, a volume or an image, or for its process to be started again.
    case starting
    case running
    /// It is being deleted.
    case going
    /// It cannot be scheduled: the claim that it names is gone.
    case withoutVolume
    /// Its process ended, and nothing says that its data is the reason.
    case ended
    /// Its process does not start: it has no data, and was not told to join.
    case empty
    /// Its process does not start with the data that it finds, for this reason.
    case unusable(String)
}

extension EtcdPod {
    /// - Parameter volume: the claim of its volume, where there is one.
    init(_ pod: Pod, volume: EtcdVolume?) {
        let container = pod.status?.containerStatuses?.first { $0.name == "etcd" }
        if pod.metadata.isBeingDeleted {
            self = .going
        } else if container?.state?.running != nil {
            self = .running
        } else if case .lost(let why) = volume {
            self = .unusable(why)
        } else if let ended = container?.state?.terminated ?? container?.lastState?.terminated {
            self = EtcdLastWords(ended, restarts: container?.restartCount ?? 0).pod
        } else {
            self = volume == nil && container == nil ? .withoutVolume : .starting
        }
    }
}
