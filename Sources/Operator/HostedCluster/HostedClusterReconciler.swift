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
    let etcdCare = EtcdCareLog()
    let etcdFigures = EtcdFigures()
    let logger: Logger
    /// Called with a cluster's UID when its API began to answer: its machines can go on.
    let sessionOpened: @Sendable (String) -> Void

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard var stored = try await client.find(HostedCluster.self, key) else { return .done }
        if stored.isLeaving { return try await tearDown(stored) }
        // None can be added to one that is being deleted and held back; it has it, or it would be gone.
        if !stored.metadata.isBeingDeleted { try await client.addFinalizer(Self.finalizer, to: &stored) }

        let cluster = stored.withDefaults()
        var report = ClusterReport(stored)
        report.deletion(of: stored)
        do {
            let result = try await bringUp(cluster, &report)
            answerUnasked(cluster, &report)
            report.judgeCertificates()
            return try await write(report, over: stored) ? result : .requeue(after: .zero)
        } catch {
            report.failed(error)
            answerUnasked(cluster, &report)
            report.judgeCertificates()
            _ = try await write(report, over: stored)
            throw error
        }
    }

    private func bringUp(_ asked: HostedCluster, _ report: inout ClusterReport) async throws -> ReconcileResult {
        let state = try await namespaceState(of: asked)
        let present: Namespace? = if case .own(let namespace) = state { namespace } else { nil }
        let accepted = try present.flatMap(AcceptedSpec.read)
        let seen = try await lookAtRollout(asked, accepted: accepted, &report)
        var asked = asked
        asked.status = report.status
        let choice = SpecChoice(asked: asked, accepted: accepted)
        report.set(
            "ValidConfiguration", choice.refusal == nil, reason: choice.refusal?.reason ?? "Valid", message: choice.refusal?.message ?? "")
        announceUpgrade(choice.upgrade, &report)
        let pause = ClusterPause(asked, now: Date())
        report.pause(pause, of: asked)

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
            return .requeue(after: .seconds(min(max(pause.left, 1), 3600)))
        }
        guard let cluster = choice.cluster else { return .done }
        return try await build(cluster, present: present, seen: seen, upgrade: choice.upgrade, &report)
    }

    private func build(
        _ cluster: HostedCluster, present: Namespace?, seen: ControlPlaneSight?, upgrade: PinnedVersion?, _ report: inout ClusterReport
    ) async throws -> ReconcileResult {
        try await ensureNamespace(cluster, present: present, &report)
        let settings = try ClusterSettings(cluster)
        var sight: ControlPlaneSight
        if let seen {
            sight = seen
        } else if present == nil {
            // Nothing is in it yet.
            sight = ControlPlaneSight()
        } else {
            sight = try await ControlPlaneSight.look(into: settings.controlPlaneNamespace, with: client)
        }
        try await letGo(sight.endedPods, settings)
        guard let addresses = try await publish(settings, &sight, &report) else { return notServing(cluster, report) }
        let keys = try await ensureKeys(settings, of: cluster, endpoints: addresses.published, &report)
        guard let keys else { return notServing(cluster, report) }
        let openedEtcd = sight.openedEtcdTag(report.status)
        report.update { $0.etcdImageTag = openedEtcd }
        var input = try ControlPlaneInput(
            cluster: cluster, keys: keys, endpoints: addresses.published, etcdServiceAddresses: addresses.etcd, hostVersion: hostVersion,
            etcdImageTag: EtcdImageChoice.tag(present: openedEtcd, wanted: settings.version.etcdImageTag),
            auditWebhook: try await auditWebhook(settings, &report))
        input.toldEndpoints = addresses.told
        let tenant = TenantAccess(address: addresses.api, keys: keys)
        guard let etcd = try await runEtcd(&input, &sight, &report) else { return notServing(cluster, report) }
        report.found()
        guard let rollout = try await runControlPlane(input, &sight, etcd, &report) else { return notServing(cluster, report) }
        // From here on somebody may be served: what holds other data is not this cluster's any more.
        report.update { $0.etcdClusterID = etcd.clusterID }
        report.tell(rollout, settings)
        let nextLook = reportReplicas(settings, etcd, rollout, &report)
        try await furnish(input.serving(report.status, rollout), tenant, &report)
        // The first version of a cluster serves as soon as one replica does.
        report.update { $0.version = $0.version ?? settings.version }
        let kubeconfigRenewal = try await offerKubeconfig(input, asked: cluster.kubeconfigAskedAnew(report.status), &report)
        report.completeRenewal(
            cluster.certificateRenewalRequest, settings, isRolledOut: rollout.state == .complete, isOffered: kubeconfigRenewal != nil)
        try await lookAtNodes(settings, &report)
        if let next = try await considerUpgrade(upgrade, of: cluster, input, sight, &report) {
            return .requeue(after: min(next, nextLook))
        }
        guard rollout.state == .complete else { return .requeue(after: min(.seconds(10), nextLook)) }
        // Somebody has to let it be written, and nobody tells when.
        guard let kubeconfigRenewal else { return .requeue(after: min(.seconds(60), nextLook)) }
        let renewal = min(keys.nextRenewal() ?? .distantFuture, kubeconfigRenewal).timeIntervalSinceNow
        let handover = Duration.seconds(addresses.handoverLeft ?? 3600)
        return .requeue(after: min(.seconds(min(max(renewal, 1), 3600)), handover, nextLook))
    }

    /// A kubelet may keep a pod whose processes have ended for another ten seconds, some for minutes. Meanwhile a StatefulSet makes no new
    /// one, and a lone member is away; and agents that look for a tunnel server are led to one that is gone.
    private func letGo(_ pods: [Pod], _ settings: ClusterSettings) async throws {
        for pod in pods {
            try await client.deleteIfPresent(
                Pod.self, pod.name, namespace: settings.controlPlaneNamespace, uid: pod.metadata.uid, gracePeriodSeconds: 0)
        }
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

    /// False when the cluster has changed meanwhile: what was seen is to be looked at again.
    private func write(_ report: ClusterReport, over stored: HostedCluster) async throws -> Bool {
        guard report.status != stored.status else { return true }
        var cluster = stored
        cluster.status = report.status
        do {
            _ = try await client.updateStatus(cluster)
        } catch let error as KubernetesError where error.isConflict || error.isNotFound {
            return false
        }
        await events.record(
            transitionsFrom: stored.status?.conditions, to: report.status.conditions, types: HostedCluster.conditionTypes, on: stored)
        return true
    }
}
