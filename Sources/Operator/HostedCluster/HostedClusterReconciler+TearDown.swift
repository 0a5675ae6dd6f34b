import ControlPlane
import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// Deletion, in order: machines are given back, the control plane goes (with its part of an external etcd), then the object. It never
    /// drains and never asks the tenant's API for anything; what it waits for stands in `status.deletion`.
    func tearDown(_ cluster: HostedCluster) async throws -> ReconcileResult {
        guard cluster.metadata.finalizers?.contains(Self.finalizer) == true else { return .done }
        let uid = cluster.metadata.uid ?? ""
        sessions.close(uid)

        let machines = try await client.list(Machine.self).items.filter {
            $0.status?.claim?.hostedClusterUID == uid && $0.status?.phase != .quarantined
        }
        guard machines.isEmpty else {
            try await say(.cleaningMachines(machines), on: cluster)
            return .done
        }
        let name = cluster.controlPlaneNamespace
        let present = try await client.find(Namespace.self, ObjectKey(name: name))
        let own = present?.metadata.labels?[NestboxLabel.clusterUID] == uid ? present : nil
        if let result = try await clearExternalEtcd(of: cluster, namespace: own) { return result }
        if let namespace = own {
            if !namespace.metadata.isBeingDeleted {
                try await client.deleteIfPresent(Namespace.self, name, uid: namespace.metadata.uid)
            }
            let pods = try await endPods(in: name)
            try await say(
                .removingControlPlane(
                    namespace, pods: pods, claims: try await client.list(PersistentVolumeClaim.self, namespace: name).items), on: cluster)
            return .requeue(after: ClusterReport(cluster).patience(.seconds(1), with: "Deleting"))
        }
        applied.forget(scope: uid)
        etcdCare.forget(uid)
        applied.forget(scope: AppliedObjects.inside(uid))
        try await client.removeFinalizer(Self.finalizer, from: cluster)
        return .done
    }

    /// Nobody is served any more: an API server that waits for its clients, and a tunnel that waits for it, would only hold up the end.
    /// Returns the pods that are there yet.
    func endPods(in namespace: String) async throws -> [Pod] {
        let pods = try await client.list(Pod.self, namespace: namespace).items
        for pod in pods where (pod.metadata.deletionGracePeriodSeconds ?? 60) > 1 {
            try await client.deleteIfPresent(Pod.self, pod.name, namespace: namespace, uid: pod.metadata.uid, gracePeriodSeconds: 1)
        }
        return pods
    }

    func say(
        _ phase: DeletionPhase, on cluster: HostedCluster, also tell: (inout ClusterReport) -> Void = { _ in }
    ) async throws {
        var report = ClusterReport(cluster)
        tell(&report)
        report.deletion(phase)
        guard report.status != cluster.status else { return }
        var changed = cluster
        changed.status = report.status
        do {
            _ = try await client.updateStatus(changed)
        } catch let error as KubernetesError where error.isConflict || error.isNotFound {}
    }
}
