import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// Puts into the tenant what every cluster has: RBAC, the record of endpoints, `default/kubernetes`, addons.
    func furnish(_ input: ControlPlaneInput, _ tenant: TenantAccess, _ report: inout ClusterReport) async throws {
        let objects = try TenantObjects.all(input)
        let scope = AppliedObjects.inside(input.settings.uid)
        if try !applied.has(objects, scope: scope) {
            // The first RBAC cannot be written by a user whose rights it gives: an hour's certificate, kept nowhere, writes it.
            let bootstrap = try KubernetesClient(
                tenant.configuration(with: input.keys.bootstrapClient(now: Date())), userAgent: "nestbox-operator", logger: logger)
            do {
                try await applied.apply(objects, scope: scope, with: bootstrap)
                await bootstrap.shutdown()
            } catch {
                await bootstrap.shutdown()
                throw error
            }
        }
        report.set("Available", true, reason: "Serving")
        report.set("Progressing", false, reason: "Done")
        report.set("ReconciliationSucceeded", true, reason: "Done")
        let settings = input.settings
        let coreDNS = settings.spec.addons?.coreDNS
        let hasDNS = coreDNS?.enabled == true && coreDNS?.image != nil
        report.set(
            "ClusterDNSAvailable", hasDNS, reason: hasDNS ? "Deployed" : coreDNS?.enabled == true ? "NoImage" : "Disabled",
            message: hasDNS ? "" : "cluster DNS is not deployed: set spec.addons.coreDNS.image to an image of CoreDNS that the nodes can pull")
        let builtIn = settings.spec.network?.cni != "none"
        report.set(
            "NetworkPolicyEnforced", false, reason: builtIn ? "BuiltInNetwork" : "BroughtByTenant",
            message: builtIn
                ? "the built-in network enforces no NetworkPolicy; set spec.network.cni to none and bring one that does"
                : "whether NetworkPolicies are enforced is up to the network that the tenant brings")
    }

    /// Opens the session with the tenant, in which the operator has the rights that RBAC inside gives it.
    func openSession(_ settings: ClusterSettings, _ tenant: TenantAccess) throws {
        let isNew = sessions.session(settings.uid) == nil
        _ = try sessions.open(
            cluster: ObjectKey(namespace: settings.namespace, name: settings.name), clusterUID: settings.uid,
            access: tenant.configuration(with: tenant.keys.leaves[.operatorClient]))
        if isNew { sessionOpened(settings.uid) }
    }

    /// The admin kubeconfig, in a Secret beside the HostedCluster: expiring, and made anew with a third of its life left.
    func offerKubeconfig(_ input: ControlPlaneInput, _ report: inout ClusterReport) async throws {
        let settings = input.settings
        let name = "\(settings.name)-kubeconfig"
        let present = try await client.find(Secret.self, ObjectKey(namespace: settings.namespace, name: name))
        let text = try ControlPlane.adminKubeconfig(input, present: present?.data?["kubeconfig"]?.text)
        if present?.data?["kubeconfig"]?.text != text {
            let secret = Secret(
                metadata: ObjectMeta(
                    name: name, namespace: settings.namespace, labels: settings.labels,
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
            total: machines.filter { $0.status?.phase != .quarantined }.count, ready: machines.filter { $0.status?.phase == .ready }.count)
        report.update { $0.nodes = counts }
    }
}
