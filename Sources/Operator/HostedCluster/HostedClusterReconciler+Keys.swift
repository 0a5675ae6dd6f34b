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
        _ settings: ClusterSettings, of cluster: HostedCluster, endpoints: PublishedEndpoints, _ report: inout ClusterReport
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
        // As they are, should they not be renewable. One that cannot be read is about to be issued anew.
        if let records = try? present.records(settings) { report.certificates(records) }
        let order = cluster.pendingCertificateRenewal.map(RenewalOrder.init)
        let (keys, renewals) = try present.renewed(settings, published: endpoints.apiHosts, asked: order?.leaves ?? [], now: now)
        let renewed = renewals.filter { present.leaves[$0.leaf] != nil }
        for renewal in renewed {
            logger.info("certificate renewed", metadata: ["leaf": "\(renewal.leaf.rawValue)", "reason": "\(renewal.reason)"])
        }
        try await applied.apply(try keys.secrets(settings), scope: settings.uid, with: client)
        report.certificates(try keys.records(settings))
        if !renewed.isEmpty {
            await events.record(
                .normal, reason: "CertificatesRenewed", message: RenewalOrder.sentence(renewed, settings), on: cluster)
        }
        if let order { try await answer(order, settings, now: now, &report) }
        let fingerprint = try keys.cluster.fingerprint()
        report.update { $0.caFingerprint = fingerprint }
        return keys
    }

    /// Says what came of a request as soon as the new certificates are kept, and not with the pass's own report: that one may not be
    /// taken, and a second renewal would roll the pods a second time.
    private func answer(_ order: RenewalOrder, _ settings: ClusterSettings, now: Date, _ report: inout ClusterReport) async throws {
        let answer = order.answer(at: now)
        report.update {
            $0.certificates = $0.certificates ?? CertificatesStatus()
            $0.certificates?.renewal = answer
        }
        _ = try await client.patch(
            HostedCluster.self, settings.name, namespace: settings.namespace,
            merge: ["status": ["certificates": ["renewal": try JSONValue(encoding: answer)]]], subresource: "status")
    }
}
