import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

/// What is to be done about the snapshot that goes before another etcd. Pure.
enum SnapshotDecision: Equatable {
    case take
    case wait
    case taken
    /// It did not come to be, or is too old to be of use: it goes, and another is taken.
    case again

    /// For how long one is of use: what was written since would be missing in it.
    static let freshness: TimeInterval = 3600

    init(_ job: Job?, now: Date) {
        guard let job else {
            self = .take
            return
        }
        if job.metadata.isBeingDeleted {
            self = .wait
        } else if (job.status?.succeeded ?? 0) > 0 {
            let done = job.status?.completionTime.flatMap(Timestamp.parse) ?? .distantPast
            self = now.timeIntervalSince(done) < Self.freshness ? .taken : .again
        } else {
            let isOver = job.status?.conditions?.contains { $0.type == "Failed" && $0.status == "True" } == true
            self = isOver ? .again : .wait
        }
    }
}

extension HostedClusterReconciler {
    /// Whether there is a snapshot of etcd, fresh, taken with the image that etcd is to become.
    func hasSnapshot(
        before image: String, _ input: ControlPlaneInput, _ sight: ControlPlaneSight, _ report: inout ClusterReport
    ) async throws -> Bool {
        let settings = input.settings
        let namespace = settings.controlPlaneNamespace
        let job = EtcdSnapshot.job(settings, image: image, serviceAddresses: input.etcdServiceAddresses)
        let trouble = sight.trouble(of: EtcdSnapshot.component)
        let decision = SnapshotDecision(try await client.find(Job.self, job.name, namespace: namespace), now: Date())
        switch decision {
        case .taken: return true
        case .wait: break
        case .take:
            let claim = EtcdSnapshot.volumeClaim(settings)
            guard sight.claims.contains(where: { $0.name == claim.name }) else {
                _ = try await client.create(claim)
                _ = try await client.create(job)
                break
            }
            // What is on it is of an earlier upgrade, and there may be no room beside it. Pods hold their claims, also when they have ended.
            for pod in sight.pods(of: EtcdSnapshot.component) {
                try await client.deleteIfPresent(Pod.self, pod.name, namespace: namespace, uid: pod.metadata.uid)
            }
            try await client.remove(claim)
        case .again: try await client.deleteIfPresent(Job.self, job.name, namespace: namespace)
        }
        report.set(
            Self.upgradeReady, false, reason: trouble == nil ? "TakingSnapshot" : "SnapshotFails",
            message: "a snapshot of etcd is taken with \(image) before etcd becomes that; nothing was touched yet"
                + (trouble.map { ": \($0)" } ?? ""))
        return false
    }
}
