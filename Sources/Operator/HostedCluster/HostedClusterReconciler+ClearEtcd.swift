import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// How long a deletion waits for an external etcd that cannot be used.
    private static let patience: TimeInterval = 600

    /// Takes this cluster's part of an external etcd away, all of it and nothing else, once nobody writes there any more. Nil when nothing
    /// of it is there, or when it was given up: a deletion ends, and who runs that etcd can do the same with one command.
    ///
    /// - Parameter namespace: of the control plane, where it is this cluster's own.
    func clearExternalEtcd(of cluster: HostedCluster, namespace: Namespace?) async throws -> ReconcileResult? {
        guard cluster.status?.etcdPrefix != nil, let uid = cluster.metadata.uid else { return nil }
        if let namespace {
            // Somebody deletes it, and the operator's rights in it with it: when it is gone, no API server runs either.
            guard !namespace.metadata.isBeingDeleted else { return nil }
            if let pods = try await endAPIServers(in: namespace.name) {
                try await say(.endingAPIServers(pods), on: cluster)
                return .requeue(after: ClusterReport(cluster).patience(.seconds(1), with: "Deleting"))
            }
        }
        // From the names, and not as the status has it: that could be led to somebody else's.
        let prefix = ExternalEtcd.prefix(namespace: cluster.namespace ?? "default", name: cluster.name, uid: uid)
        do {
            let count = try await removeKeys(below: prefix, of: cluster, namespace: namespace)
            await events.record(
                .normal, reason: "EtcdDataRemoved", message: "\(count) keys below \(prefix)/ were removed from the external etcd",
                on: cluster)
        } catch let trouble as ExternalEtcdTrouble {
            let condition = cluster.status?.conditions?.named("EtcdAvailable")
            let since = condition?.status == "False" ? condition.flatMap { Timestamp.parse($0.lastTransitionTime) } : nil
            let end = (since ?? Date()).addingTimeInterval(Self.patience)
            guard Date() >= end else {
                try await say(.clearingEtcd(trouble, prefix: prefix, until: end), on: cluster) {
                    $0.set("EtcdAvailable", false, reason: trouble.reason, message: trouble.message)
                }
                return .requeue(after: .seconds(10))
            }
            await events.record(
                .warning, reason: "EtcdDataLeft",
                message:
                    "what is below \(prefix)/ in the external etcd was left there: \(trouble.message); have its admin remove it: etcdctl "
                    + "del --prefix \(prefix)/", on: cluster)
        }
        _ = try await client.patch(
            HostedCluster.self, cluster.name, namespace: cluster.namespace, merge: ["status": ["etcdPrefix": .null]], subresource: "status")
        return .requeue(after: .milliseconds(50))
    }

    /// Their pods as long as they may write; nil when none runs, nor will.
    private func endAPIServers(in namespace: String) async throws -> [Pod]? {
        let deployment = try await client.find(Deployment.self, NestboxName.controlPlaneDeployment, namespace: namespace)
        if let deployment, !deployment.metadata.isBeingDeleted {
            // It stays until its pods are gone, and nobody makes new ones meanwhile.
            try await client.delete(
                Deployment.self, deployment.name, namespace: namespace, uid: deployment.metadata.uid, propagation: .foreground)
        }
        let pods = try await endPods(in: namespace)
        return deployment == nil && pods.isEmpty ? nil : pods
    }

    /// By the Secret as it is, or by its copy: of a namespace that is deleted with all that is in it, the Secret may have gone first.
    private func removeKeys(below prefix: String, of cluster: HostedCluster, namespace: Namespace?) async throws -> Int {
        let home = cluster.namespace ?? "default"
        let accepted = try? namespace.flatMap(AcceptedSpec.read)?.etcd?.external
        guard let external = cluster.spec?.etcd?.external ?? accepted else {
            throw ExternalEtcdTrouble(reason: "NoEndpoints", message: "spec.etcd.external is not there any more: set it as it was")
        }
        return try await withKeys(to: external, in: home, orIn: namespace?.name) { keys in
            try await removeKeys(below: prefix, external, keys, cluster)
        }.0
    }

    private func removeKeys(
        below prefix: String, _ external: ExternalEtcdSpec, _ keys: ExternalEtcdKeys, _ cluster: HostedCluster
    ) async throws(ExternalEtcdTrouble) -> Int {
        let home = cluster.namespace ?? "default"
        let etcd = ExternalEtcdClient(external, keys: keys)
        var first: ExternalEtcdTrouble?
        for endpoint in etcd.endpoints {
            do throws(ExternalEtcdError) {
                let status = try await etcd.status(at: endpoint)
                let count = try await etcd.remove(below: prefix, at: endpoint)
                // Where they were all removed, and nobody noted it yet, it is the same etcd.
                guard count == 0, let served = cluster.status?.etcdClusterID, served != status.clusterID else { return count }
                throw ExternalEtcdError(
                    endpoint, "the removal of the cluster's keys",
                    .other("it has none, and is not the etcd that served (its id is \(status.clusterID), that one's \(served))"))
            } catch {
                let share = ExternalEtcd.share(namespace: home, name: cluster.name)
                first = first ?? ExternalEtcdTrouble(error, secret: external.secret(in: home), share: share)
            }
        }
        throw first ?? ExternalEtcdTrouble(reason: "NoEndpoints", message: "spec.etcd.external.endpoints is empty: set it as it was")
    }
}
