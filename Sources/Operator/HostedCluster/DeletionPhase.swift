import ControlPlane
import Foundation
import KubernetesAPI
import NestboxAPI

/// How far a deletion has come, and what it waits for. Pure.
struct DeletionPhase: Equatable {
    static let condition = "Deleting"

    /// The condition's reason: `Protected`, `CleaningMachines`, `ClearingEtcd`, `RemovingControlPlane`.
    var reason: String
    /// In a sentence.
    var waitingFor: String
}

extension DeletionPhase {
    /// Nothing is torn down.
    static func protected(_ cluster: HostedCluster) -> DeletionPhase {
        DeletionPhase(
            reason: "Protected",
            waitingFor:
                "spec.deletionProtection to be taken away; till then nothing is torn down and the cluster serves on. The deletion was "
                + "asked for and cannot be taken back: to let it happen, nestbox unprotect cluster \(cluster.name) -n "
                + "\(cluster.namespace ?? "default")")
    }

    static func cleaningMachines(_ machines: [Machine]) -> DeletionPhase {
        let names = machines.map { "\($0.name) (\($0.status?.phase?.rawValue ?? "Unknown"))" }.sorted()
        return DeletionPhase(reason: "CleaningMachines", waitingFor: "machines to be cleaned: \(list(names))")
    }

    /// Who writes there still would bring keys back.
    static func endingAPIServers(_ pods: [Pod]) -> DeletionPhase {
        let rest = pods.isEmpty ? "" : " (pods \(list(pods.map(\.name).sorted())))"
        return DeletionPhase(
            reason: "ClearingEtcd",
            waitingFor: "the API servers to end\(rest), before the cluster's keys are removed from the external etcd")
    }

    static func clearingEtcd(_ trouble: ExternalEtcdTrouble, prefix: String, until end: Date) -> DeletionPhase {
        DeletionPhase(
            reason: "ClearingEtcd",
            waitingFor:
                "the keys below \(prefix)/ to be removed from the external etcd, which is tried until \(Timestamp.format(end)): "
                + trouble.message)
    }

    /// What the host's namespace controller says of itself is repeated: a host with an extension API that does not answer deletes no
    /// namespace, and says so only there.
    static func removingControlPlane(_ namespace: Namespace, pods: [Pod], claims: [PersistentVolumeClaim]) -> DeletionPhase {
        var left: [String] = []
        if !pods.isEmpty { left.append("pods \(list(pods.map(\.name).sorted()))") }
        if !claims.isEmpty { left.append("volumes \(list(claims.map(\.name).sorted()))") }
        let failures = [
            "NamespaceDeletionDiscoveryFailure", "NamespaceDeletionGroupVersionParsingFailure", "NamespaceDeletionContentFailure",
        ]
        let trouble = (namespace.status?.conditions ?? []).filter { failures.contains($0.type) && $0.status == "True" }.compactMap(
            \.message)
        let rest = left.isEmpty ? "" : " (\(left.joined(separator: ", ")))"
        let words = trouble.isEmpty ? "" : "; the host says: \(trouble.joined(separator: "; ").prefix(500))"
        return DeletionPhase(
            reason: "RemovingControlPlane",
            waitingFor: "the namespace \(namespace.name) to go, with the control plane in it\(rest)\(words)")
    }

    private static func list(_ names: [String]) -> String { names.inWords(most: 10) }
}

extension ClusterReport {
    mutating func deletion(_ phase: DeletionPhase) {
        update { $0.deletion = phase.waitingFor }
        set(DeletionPhase.condition, true, reason: phase.reason, message: phase.waitingFor)
    }

    /// Of a cluster that is not torn down: it may have been asked for.
    mutating func deletion(of cluster: HostedCluster) {
        if cluster.isHeldBack { deletion(.protected(cluster)) }
    }
}
