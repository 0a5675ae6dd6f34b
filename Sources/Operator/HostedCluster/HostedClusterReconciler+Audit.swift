import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    static let auditWebhookCondition = "AuditWebhookConfigured"

    /// The kubeconfig that audit events are sent by; nil where none is asked for or none can be had. One that was there and cannot be
    /// read now goes on as it was: for a mistake with a Secret nobody's audit is to end.
    func auditWebhook(_ settings: ClusterSettings, _ report: inout ClusterReport) async throws -> String? {
        guard let name = settings.spec.controlPlane?.audit?.webhook?.kubeconfigSecret else {
            report.remove(Self.auditWebhookCondition)
            return nil
        }
        let problem: String
        do {
            let secret = try await client.find(Secret.self, name, namespace: settings.namespace)
            if let text = secret?.data?["kubeconfig"]?.text, !text.isEmpty {
                report.set(Self.auditWebhookCondition, true, reason: "Configured")
                return text
            }
            problem =
                secret == nil
                ? "there is no Secret \(name) in \(settings.namespace)" : "the Secret \(name) in \(settings.namespace) holds no kubeconfig"
        } catch let error as KubernetesError where error.isForbidden {
            problem = "the operator may not read Secrets in \(settings.namespace)"
        }
        let kept = try await client.find(Secret.self, NestboxName.auditWebhookSecret, namespace: settings.controlPlaneNamespace)
        let text = kept?.data?["kubeconfig"]?.text
        report.set(
            Self.auditWebhookCondition, false, reason: "NoKubeconfig",
            message: "\(problem) (spec.controlPlane.audit.webhook): "
                + (text == nil ? "no audit event is sent" : "audit events are sent as before"))
        return text
    }
}

extension HostedCluster {
    /// When somebody asked for a new admin kubeconfig; nil when nobody did.
    func kubeconfigAskedAnew(_ status: HostedClusterStatus) -> Date? {
        guard let request = certificateRenewalRequest, let answer = status.certificates?.renewal, answer.id == request.id,
            request.asks(for: CertificateRenewalRequest.kubeconfig)
        else { return nil }
        return answer.issuedAt.flatMap(Timestamp.parse)
    }
}
