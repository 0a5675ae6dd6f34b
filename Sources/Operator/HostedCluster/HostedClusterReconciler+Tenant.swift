import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// Puts into the tenant what every cluster has: RBAC, the record of endpoints, `default/kubernetes`, addons.
    func furnish(_ input: ControlPlaneInput, _ tenant: TenantAccess, _ report: inout ClusterReport) async throws {
        let scope = AppliedObjects.inside(input.settings.uid)
        let access = TenantObjects.access(input.settings)
        if try !applied.has(access, scope: scope) {
            // The first RBAC cannot be written by a user whose rights it gives: an hour's certificate, kept nowhere, writes it.
            try await tenant.with(try input.keys.bootstrapClient(now: Date()), logger: logger) { client in
                try await applied.apply(access, scope: scope, with: client)
            }
        }
        let session = try await openSession(
            ObjectKey(namespace: input.settings.namespace, name: input.settings.name), clusterUID: input.settings.uid, tenant)
        session.kubeadm.follow(KubeadmJoin(input.settings, endpoints: input.endpoints))
        do {
            try await applied.apply(
                TenantObjects.configuration(input) + TenantObjects.addons(input), scope: scope, with: session.client)
            try await applied.remove(TenantObjects.unwanted(input), scope: scope, with: session.client)
        } catch let error as KubernetesError where error.isForbidden {
            // The tenant, who is cluster-admin, has broken the operator's rights: the next pass writes them again.
            applied.forget(scope: scope)
            throw error
        }
        report.set("Available", true, reason: "Serving")
        report.set("ReconciliationSucceeded", true, reason: "Done")
        let settings = input.settings
        report.tellDNS(settings, session)
        let builtIn = settings.spec.network?.cni != "none"
        report.set(
            "NetworkPolicyEnforced", false, reason: builtIn ? "BuiltInNetwork" : "BroughtByTenant",
            message: builtIn
                ? "the built-in network enforces no NetworkPolicy; set spec.network.cni to none and bring one that does"
                : "whether NetworkPolicies are enforced is up to the network that the tenant brings")
    }

    /// Opens the session with the tenant, in which the operator has the rights that RBAC inside gives it.
    private func openSession(_ cluster: ObjectKey, clusterUID: String, _ tenant: TenantAccess) async throws -> TenantSession {
        let isNew = sessions.session(clusterUID) == nil
        let session = try await sessions.open(
            cluster: cluster, clusterUID: clusterUID, access: tenant.configuration(with: tenant.keys.leaves[.operatorClient]))
        if isNew { sessionOpened(clusterUID) }
        return session
    }

    /// The session of a cluster that is paused: nothing of it is written, but its nodes' certificates and drains go on.
    func resumeSession(_ cluster: HostedCluster) async throws {
        let namespace = cluster.controlPlaneNamespace
        guard let uid = cluster.metadata.uid, cluster.status?.version != nil, sessions.session(uid) == nil else { return }
        let secrets = try await client.list(Secret.self, namespace: namespace, labels: "\(NestboxLabel.clusterUID)=\(uid)").items
        guard let keys = try ClusterKeys(secrets: secrets),
            let address = try await client.find(Service.self, NestboxName.apiService, namespace: namespace)?.spec?.clusterIP
        else { return }
        _ = try await openSession(ObjectKey(cluster), clusterUID: uid, TenantAccess(address: address, keys: keys))
    }

    /// How many nodes there are, and whether the tunnel reaches those that have joined.
    func lookAtNodes(_ settings: ClusterSettings, _ report: inout ClusterReport) async throws {
        let machines = try await client.list(Machine.self).items.filter { $0.status?.claim?.hostedClusterUID == settings.uid }
        let counts = NodeCounts(
            total: machines.filter { $0.status?.phase != .quarantined }.count, ready: machines.filter(\.isReadyNode).count)
        report.update { $0.nodes = counts }
        let joined = machines.filter { $0.status?.phase == .ready }.map(\.name)
        let reports = sessions.session(settings.uid)?.tunnelReports.list() ?? []
        guard let tunnel = TunnelConnected(reports: reports, joinedNodes: joined) else { return }
        report.set(TunnelConnected.condition, tunnel.isTrue, reason: tunnel.reason, message: tunnel.message)
    }
}
