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
                for object in TenantObjects.unwanted(input) { try await client.remove(object) }
                try await applied.apply(access, scope: scope, with: client)
            }
        }
        let session = try openSession(input.settings, tenant)
        try await applied.apply(
            TenantObjects.configuration(input) + TenantObjects.addons(input), scope: scope, with: session.client)
        report.set("Available", true, reason: "Serving")
        report.set("Progressing", false, reason: "Done")
        report.set("ReconciliationSucceeded", true, reason: "Done")
        let settings = input.settings
        let coreDNS = settings.spec.addons?.coreDNS
        let hasDNS = coreDNS?.enabled == true && coreDNS?.image != nil
        report.set(
            "ClusterDNSAvailable", hasDNS, reason: hasDNS ? "Deployed" : coreDNS?.enabled == true ? "NoImage" : "Disabled",
            message: hasDNS
                ? "" : "cluster DNS is not deployed: set spec.addons.coreDNS.image to an image of CoreDNS that the nodes can pull")
        let builtIn = settings.spec.network?.cni != "none"
        report.set(
            "NetworkPolicyEnforced", false, reason: builtIn ? "BuiltInNetwork" : "BroughtByTenant",
            message: builtIn
                ? "the built-in network enforces no NetworkPolicy; set spec.network.cni to none and bring one that does"
                : "whether NetworkPolicies are enforced is up to the network that the tenant brings")
    }

    /// Opens the session with the tenant, in which the operator has the rights that RBAC inside gives it.
    private func openSession(_ settings: ClusterSettings, _ tenant: TenantAccess) throws -> TenantSession {
        let isNew = sessions.session(settings.uid) == nil
        let session = try sessions.open(
            cluster: ObjectKey(namespace: settings.namespace, name: settings.name), clusterUID: settings.uid,
            access: tenant.configuration(with: tenant.keys.leaves[.operatorClient]))
        if isNew { sessionOpened(settings.uid) }
        return session
    }

    /// The admin kubeconfig, in a Secret beside the HostedCluster: expiring, and made anew with a third of its life left.
    /// False while the admin has not opened the cluster's namespace to Nestbox.
    func offerKubeconfig(_ input: ControlPlaneInput, _ report: inout ClusterReport) async throws -> Bool {
        do {
            try await writeKubeconfig(input, &report)
        } catch let error as KubernetesError where error.isForbidden {
            let namespace = input.settings.namespace
            report.set(
                "KubeconfigAvailable", false, reason: "NamespaceNotOpened",
                message: "the operator may not write Secrets in \(namespace); let it: kubectl -n \(namespace) create rolebinding "
                    + "\(OperatorAccess.serviceAccount) --clusterrole=nestbox-hosted-cluster-namespace "
                    + "--serviceaccount=\(operatorNamespace):\(OperatorAccess.serviceAccount)")
            return false
        }
        report.set("KubeconfigAvailable", true, reason: "Offered")
        return true
    }

    private func writeKubeconfig(_ input: ControlPlaneInput, _ report: inout ClusterReport) async throws {
        let settings = input.settings
        let name = "\(settings.name)-kubeconfig"
        let present = try await client.find(Secret.self, name, namespace: settings.namespace)
        let now = Date()
        // Bound to all that it is made of: made anew when the address, the authority or the certificate's time asks for it.
        let server = input.endpoints.api.first ?? ""
        let made = present?.metadata.annotations?[Self.kubeconfigAnnotation]
        let fingerprint = try input.keys.cluster.fingerprint()
        let lifetime = settings.kubeconfigLifetime
        let renewal = made.flatMap { KubeconfigOrigin($0) }
        if renewal?.isGood(server: server, fingerprint: fingerprint, lifetime: lifetime, now: now) != true {
            let text = Kubeconfig.admin(
                settings, server: server, certificateAuthority: input.keys.cluster.certificatePEM,
                client: try input.keys.adminClient(settings, now: now))
            let origin = KubeconfigOrigin(server: server, fingerprint: fingerprint, madeAt: now, expires: now.addingTimeInterval(lifetime))
            let secret = Secret(
                metadata: ObjectMeta(
                    name: name, namespace: settings.namespace, labels: settings.labels,
                    annotations: [Self.kubeconfigAnnotation: origin.text],
                    ownerReferences: [
                        OwnerReference(
                            apiVersion: HostedCluster.resourceType.apiVersion, kind: HostedCluster.resourceType.kind,
                            name: settings.name, uid: settings.uid, controller: true)
                    ]), type: "Opaque", data: ["kubeconfig": Base64(text: text)])
            _ = try await client.apply(secret, fieldManager: fieldManager)
        }
        report.update {
            $0.kubeconfigSecret = name
            $0.version = settings.version
        }
    }

    func countNodes(_ settings: ClusterSettings, _ report: inout ClusterReport) async throws {
        let machines = try await client.list(Machine.self).items.filter { $0.status?.claim?.hostedClusterUID == settings.uid }
        let counts = NodeCounts(
            total: machines.filter { $0.status?.phase != .quarantined }.count, ready: machines.filter(\.isReadyNode).count)
        report.update { $0.nodes = counts }
    }
}
