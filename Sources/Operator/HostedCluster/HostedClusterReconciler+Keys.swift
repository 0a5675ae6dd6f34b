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
        let now = Date()
        let present: ClusterKeys
        if report.status.isBootstrapped {
            do {
                guard let kept = try ClusterKeys(secrets: secrets) else {
                    report.lost("the Secrets with its keys in \(settings.controlPlaneNamespace) are gone")
                    return nil
                }
                present = kept
            } catch {
                report.lost(error.description)
                return nil
            }
        } else {
            // Nothing was served with them yet: an operator that was stopped half-way left some unmade.
            present = try ClusterKeys.make(settings, keeping: secrets, now: now)
        }
        let (keys, renewals) = try present.renewed(settings, published: endpoints.apiHosts, now: now)
        for renewal in renewals where present.leaves[renewal.leaf] != nil {
            logger.info("certificate renewed", metadata: ["leaf": "\(renewal.leaf.rawValue)", "reason": "\(renewal.reason)"])
        }
        try await applied.apply(try keys.secrets(settings), scope: settings.uid, with: client)
        let fingerprint = try keys.cluster.fingerprint()
        report.update { $0.caFingerprint = fingerprint }
        return keys
    }
}
