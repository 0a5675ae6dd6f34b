import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// The admin kubeconfig, in a Secret beside the HostedCluster: expiring, and made anew with a third of its life left. Returns
    /// when that is; nil while it cannot be offered.
    func offerKubeconfig(_ input: ControlPlaneInput, _ report: inout ClusterReport) async throws -> Date? {
        let namespace = input.settings.namespace
        do {
            let name = "\(input.settings.name)-kubeconfig"
            guard let renewal = try await writeKubeconfig(input, name: name) else {
                report.update { $0.kubeconfigSecret = nil }
                report.set(
                    "KubeconfigAvailable", false, reason: "SecretTaken",
                    message: "the Secret \(name) in \(namespace) was not made by Nestbox and is left alone: delete or rename it")
                return nil
            }
            report.update { $0.kubeconfigSecret = name }
            report.set("KubeconfigAvailable", true, reason: "Offered")
            return renewal
        } catch let error as KubernetesError where error.isForbidden {
            report.set(
                "KubeconfigAvailable", false, reason: "NamespaceNotOpened",
                message: "the operator may not write Secrets in \(namespace); let it: kubectl -n \(namespace) create rolebinding "
                    + "\(OperatorAccess.serviceAccount) --clusterrole=nestbox-hosted-cluster-namespace "
                    + "--serviceaccount=\(operatorNamespace):\(OperatorAccess.serviceAccount)")
            return nil
        }
    }

    /// When it is to be made anew; nil when the Secret is somebody else's.
    private func writeKubeconfig(_ input: ControlPlaneInput, name: String) async throws -> Date? {
        let settings = input.settings
        let now = Date()
        // Bound to all that it is made of: made anew when the address, the authority or the certificate's time asks for it.
        let wanted = KubeconfigOrigin(
            server: input.endpoints.api.first ?? "", fingerprint: try input.keys.cluster.fingerprint(), madeAt: now,
            expires: now.addingTimeInterval(settings.kubeconfigLifetime))
        let present = try await client.find(Secret.self, name, namespace: settings.namespace)
        switch KubeconfigDecision(present: present, clusterUID: settings.uid, wanted: wanted) {
        case .leaveAlone: return nil
        case .keep(let origin): return origin.renewal
        case .make:
            let text = Kubeconfig.admin(
                settings, server: wanted.server, certificateAuthority: input.keys.cluster.certificatePEM,
                client: try input.keys.adminClient(settings, now: now))
            let secret = Secret(
                metadata: ObjectMeta(
                    name: name, namespace: settings.namespace, labels: settings.labels,
                    annotations: [KubeconfigOrigin.annotation: wanted.text],
                    ownerReferences: [
                        OwnerReference(
                            apiVersion: HostedCluster.resourceType.apiVersion, kind: HostedCluster.resourceType.kind,
                            name: settings.name, uid: settings.uid, controller: true)
                    ]), type: "Opaque", data: ["kubeconfig": Base64(text: text)])
            _ = try await client.apply(secret, fieldManager: fieldManager)
            return wanted.renewal
        }
    }
}
