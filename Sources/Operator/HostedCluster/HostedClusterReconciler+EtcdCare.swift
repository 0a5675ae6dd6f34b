import ControlPlane
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI

extension HostedClusterReconciler {
    /// Says how etcd is, and does the one thing that it needs most. Returns when to look again; nil when it is well and needs nothing.
    ///
    /// - Parameter isNews: whether it was asked now. On what it said before it is judged again, but nothing is done.
    func careForEtcd(
        _ view: EtcdView, _ etcd: EtcdClient, _ settings: ClusterSettings, isNews: Bool, _ report: inout ClusterReport
    ) async -> Duration? {
        etcdFigures.note(view.sight.statuses, quota: settings.etcdQuota, of: settings.uid)
        let ages = etcdCare.ages(of: settings.uid)
        let space = EtcdSpace(
            members: view.sight.members, statuses: view.sight.statuses, alarms: view.alarms, quota: Int64(settings.etcdQuota),
            defragmented: ages.defragmented, compacted: ages.compacted)
        let health = EtcdHealth(view.sight, space, namespace: settings.controlPlaneNamespace)
        report.set(EtcdHealth.condition, health.isTrue, reason: health.reason, message: health.message)
        guard isNews else { return nil }
        let decision = space.decision
        guard decision != .nothing else {
            if health.isTrue { return nil }
            // Nobody tells why a member does not come back: its last words are in its pod. In the first minutes it may be replaced at any
            // moment; after that it waits for a person, or for its node.
            return report.patience(.seconds(5), with: EtcdHealth.condition, for: 300, then: .seconds(60))
        }
        logger.info("etcd care", metadata: ["cluster": "\(settings.name)", "step": "\(decision)"])
        etcdCare.note(decision, of: settings.uid)
        do {
            switch decision {
            case .nothing: break
            case .compact: try await etcd.compact(to: view.sight.statuses[view.leader]?.revision ?? 0, through: view.leader)
            case .defragment(let ordinal): try await etcd.defragment(ordinal)
            case .disarm(let alarm): try await etcd.disarm(alarm, through: view.leader)
            }
        } catch {
            // The condition says what is wrong with it; this is tried again when its time comes.
            logger.warning("etcd care failed", metadata: ["cluster": "\(settings.name)", "step": "\(decision)", "error": "\(error)"])
            return .seconds(60)
        }
        return .seconds(5)
    }
}
