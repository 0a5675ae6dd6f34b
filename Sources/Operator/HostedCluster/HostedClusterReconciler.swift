import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import Logging
import NestboxAPI

/// From a HostedCluster to a control plane that serves: its phases in order, each in a file of its own. A phase that
/// cannot go on leaves a condition that says why, and the next event brings the cluster back here.
struct HostedClusterReconciler: Reconciler {
    static let finalizer = "nestbox.dev/control-plane"

    let client: KubernetesClient
    let sessions: TenantSessions
    let hostNodes: Informer<Node>
    let hostVersion: KubernetesVersion
    let applied: AppliedObjects
    let events: EventRecorder
    let operatorNamespace: String
    let logger: Logger
    /// Called with a cluster's UID when its API began to answer: its machines can go on.
    let sessionOpened: @Sendable (String) -> Void

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard var stored = try await client.find(HostedCluster.self, key) else { return .done }
        if stored.metadata.isBeingDeleted { return try await tearDown(stored) }
        if try await client.addFinalizer(Self.finalizer, to: &stored) { return .done }

        let cluster = stored.withDefaults()
        var report = ClusterReport(stored)
        do {
            let result = try await bringUp(cluster, &report)
            try await write(report, over: stored)
            return result
        } catch {
            report.failed(error)
            try await write(report, over: stored)
            throw error
        }
    }

    private func bringUp(_ asked: HostedCluster, _ report: inout ClusterReport) async throws -> ReconcileResult {
        let state = try await namespaceState(of: asked)
        let present: Namespace? = if case .own(let namespace) = state { namespace } else { nil }
        let choice = SpecChoice(asked: asked, accepted: present.flatMap(AcceptedSpec.read))
        report.set(
            "ValidConfiguration", choice.refusal == nil, reason: choice.refusal?.reason ?? "Valid", message: choice.refusal?.message ?? "")
        let pause = pause(of: asked, &report)

        switch state {
        case .absent, .own: break
        case .ending: return .requeue(after: .seconds(5))
        case .taken:
            let name = asked.controlPlaneNamespace
            report.set(
                "Progressing", false, reason: "NamespaceTaken",
                message: "the namespace \(name) is there and was not made for this cluster: delete it, or name the cluster otherwise")
            return .requeue(after: .seconds(5))
        case .lost(let what):
            report.lost(what, with: ["EtcdAvailable", "KubeAPIServerAvailable", "Published"])
            return notServing(asked, report)
        }
        if let pause {
            try await resumeSession(asked)
            return .requeue(after: .seconds(min(max(pause, 1), 3600)))
        }
        guard let cluster = choice.cluster else { return .done }
        return try await build(cluster, present: present, &report)
    }

    private func build(
        _ cluster: HostedCluster, present: Namespace?, _ report: inout ClusterReport
    ) async throws -> ReconcileResult {
        try await ensureNamespace(cluster, present: present, &report)
        let settings = try ClusterSettings(cluster)
        guard let addresses = try await publish(settings, &report) else { return notServing(cluster, report) }
        guard let keys = try await ensureKeys(settings, endpoints: addresses.published, &report) else { return notServing(cluster, report) }
        var input = try ControlPlaneInput(
            cluster: cluster, keys: keys, endpoints: addresses.published, etcdServiceAddresses: addresses.etcd, hostVersion: hostVersion)
        input.toldEndpoints = addresses.told
        let tenant = TenantAccess(address: addresses.api, keys: keys)
        guard try await runEtcd(input, &report) else { return notServing(cluster, report) }
        report.found()
        guard try await runControlPlane(input, &report) else { return notServing(cluster, report) }
        try await furnish(input, tenant, &report)
        report.update { $0.version = settings.version }
        let kubeconfigRenewal = try await offerKubeconfig(input, &report)
        try await lookAtNodes(settings, &report)
        guard let kubeconfigRenewal else { return .requeue(after: .seconds(10)) }
        let renewal = min(keys.nextRenewal() ?? .distantFuture, kubeconfigRenewal).timeIntervalSinceNow
        return .requeue(after: .seconds(min(max(renewal, 1), addresses.handoverLeft ?? 3600, 3600)))
    }

    /// When to look again at a control plane that does not serve: not all that it waits for is watched, as the host's StorageClasses
    /// and a pod whose image cannot be pulled, nor the Secrets and the namespace of one that is restored.
    private func notServing(_ cluster: HostedCluster, _ report: ClusterReport) -> ReconcileResult {
        guard report.isLost else { return .requeue(after: .seconds(10)) }
        let uid = cluster.metadata.uid ?? ""
        sessions.close(uid)
        // What a restore does not bring back is to be applied, whatever was applied before.
        applied.forget(scope: uid)
        applied.forget(scope: AppliedObjects.inside(uid))
        return .requeue(after: .seconds(60))
    }

    /// For how long yet the cluster is not to be touched; nil when it is not paused.
    private func pause(of cluster: HostedCluster, _ report: inout ClusterReport) -> TimeInterval? {
        let left = cluster.spec?.pausedUntil.flatMap(Timestamp.parse)?.timeIntervalSinceNow ?? 0
        let isPaused = left > 0
        report.set(
            "ReconciliationActive", !isPaused, reason: isPaused ? "Paused" : "Active",
            message: isPaused ? "paused until \(cluster.spec?.pausedUntil ?? "")" : "")
        return isPaused ? left : nil
    }

    private func write(_ report: ClusterReport, over stored: HostedCluster) async throws {
        guard report.status != stored.status else { return }
        var cluster = stored
        cluster.status = report.status
        do {
            _ = try await client.updateStatus(cluster)
        } catch let error as KubernetesError where error.isConflict || error.isNotFound {
            // The newer object is on its way here, and this pass will be made again with it.
        }
        for message in report.transitions(from: stored) {
            await events.record(.normal, reason: message.reason, message: message.text, on: stored)
        }
    }
}
