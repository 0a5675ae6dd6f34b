import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// The admin kubeconfig, in a Secret beside the HostedCluster: expiring, and made anew with a third of its life left. Returns
    /// when that is; nil while it cannot be offered.
    ///
    /// - Parameter asked: when somebody asked for a new one; what is older is made anew.
    func offerKubeconfig(_ input: ControlPlaneInput, asked: Date? = nil, _ report: inout ClusterReport) async throws -> Date? {
        let namespace = input.settings.namespace
        do {
            let name = "\(input.settings.name)-kubeconfig"
            guard let origin = try await writeKubeconfig(input, name: name, asked: asked) else {
                report.update { $0.kubeconfigSecret = nil }
                report.kubeconfigCertificate(nil)
                report.set(
                    "KubeconfigAvailable", false, reason: "SecretTaken",
                    message: "the Secret \(name) in \(namespace) was not made by Nestbox and is left alone: save it elsewhere, and "
                        + "delete it")
                return nil
            }
            report.update { $0.kubeconfigSecret = name }
            report.kubeconfigCertificate(origin.record)
            report.set("KubeconfigAvailable", true, reason: "Offered")
            // One that lasts as long as its authority is kept till then.
            return origin.renewal > Date() ? origin.renewal : .distantFuture
        } catch let error as KubernetesError where error.isForbidden && "\(error)".contains("being terminated") {
            report.set(
                "KubeconfigAvailable", false, reason: "NamespaceEnding",
                message: "the namespace \(namespace) is being deleted, and nothing is made in it any more")
            return nil
        } catch let error as KubernetesError where error.isForbidden {
            report.set(
                "KubeconfigAvailable", false, reason: "NamespaceNotOpened",
                message: "the operator may not write Secrets in \(namespace); let it: "
                    + OperatorAccess.openingCommand(namespace, operatorNamespace: operatorNamespace))
            return nil
        }
    }

    /// What it was made of; nil when the Secret is somebody else's.
    private func writeKubeconfig(_ input: ControlPlaneInput, name: String, asked: Date?) async throws -> KubeconfigOrigin? {
        let settings = input.settings
        let now = Date()
        // Bound to all that it is made of: made anew when the address, the authority or the certificate's time asks for it.
        let authority = try CertificateFacts(certificatePEM: input.keys.cluster.certificatePEM)
        let wanted = KubeconfigOrigin(
            server: input.endpoints.api.first ?? "", fingerprint: authority.fingerprint, madeAt: now,
            expires: min(now.addingTimeInterval(settings.kubeconfigLifetime), authority.notAfter))
        let present = try await client.find(Secret.self, name, namespace: settings.namespace)
        let decision = KubeconfigDecision(
            present: present, clusterUID: settings.uid, wanted: wanted, lifetime: settings.kubeconfigLifetime, asked: asked)
        switch decision {
        case .leaveAlone: return nil
        case .keep(let origin): return origin
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
            return wanted
        }
    }
}
