import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI

extension HostedClusterReconciler {
    /// The tenant's keys: read, made where there never were any, leaves renewed where they near their end. Nil when they are lost.
    func ensureKeys(
        _ settings: ClusterSettings, endpoints: PublishedEndpoints, _ report: inout ClusterReport
    ) async throws -> ClusterKeys? {
        let secrets = try await client.list(
            Secret.self, namespace: settings.controlPlaneNamespace, labels: "\(NestboxLabel.clusterUID)=\(settings.uid)"
        ).items
        let present: ClusterKeys?
        do {
            present = try ClusterKeys(secrets: secrets)
        } catch {
            report.lost(error.description)
            return nil
        }
        if present == nil, report.status.isBootstrapped {
            report.lost("the Secrets with its keys in \(settings.controlPlaneNamespace) are gone")
            return nil
        }
        let now = Date()
        let (keys, renewals) = try (present ?? ClusterKeys.make(settings, now: now))
            .renewed(settings, published: endpoints.apiHosts, now: now)
        for renewal in renewals where present != nil {
            logger.info("certificate renewed", metadata: ["leaf": "\(renewal.leaf.rawValue)", "reason": "\(renewal.reason)"])
        }
        try await applied.apply(try keys.secrets(settings), scope: settings.uid, with: client)
        let fingerprint = try keys.cluster.fingerprint()
        report.update { $0.caFingerprint = fingerprint }
        return keys
    }
}
