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
    /// On the kubeconfig's Secret: what it was made of.
    static let kubeconfigAnnotation = "nestbox.dev/kubeconfig-origin"

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

    private func bringUp(_ cluster: HostedCluster, _ report: inout ClusterReport) async throws -> ReconcileResult {
        guard isValid(cluster, &report), !isPaused(cluster, &report) else { return .done }
        guard try await ensureNamespace(cluster, &report) else { return .requeue(after: .seconds(5)) }
        let settings = try ClusterSettings(cluster)
        guard let addresses = try await publish(settings, &report) else { return .done }
        guard let keys = try await ensureKeys(settings, endpoints: addresses.published, &report) else { return .done }
        let input = try ControlPlaneInput(
            cluster: cluster, keys: keys, endpoints: addresses.published, etcdServiceAddresses: addresses.etcd, hostVersion: hostVersion)
        let tenant = TenantAccess(address: addresses.api, keys: keys)
        guard try await runEtcd(input, &report) else { return .done }
        guard try await runControlPlane(input, &report) else { return .done }
        try await furnish(input, tenant, &report)
        let isOffered = try await offerKubeconfig(input, &report)
        try await countNodes(settings, &report)
        guard isOffered else { return .requeue(after: .seconds(10)) }
        let renewal = keys.nextRenewal()?.timeIntervalSinceNow ?? .infinity
        return .requeue(after: .seconds(min(max(renewal, 1), 3600)))
    }

    private func isValid(_ cluster: HostedCluster, _ report: inout ClusterReport) -> Bool {
        let problems = cluster.validate()
        report.set(
            "ValidConfiguration", problems.isEmpty, reason: problems.isEmpty ? "Valid" : "Invalid",
            message: problems.map(\.description).joined(separator: "; "))
        return problems.isEmpty
    }

    private func isPaused(_ cluster: HostedCluster, _ report: inout ClusterReport) -> Bool {
        let until = cluster.spec?.pausedUntil.flatMap(Timestamp.parse)
        let isPaused = until.map { $0 > Date() } ?? false
        report.set(
            "ReconciliationActive", !isPaused, reason: isPaused ? "Paused" : "Active",
            message: isPaused ? "paused until \(cluster.spec?.pausedUntil ?? "")" : "")
        return isPaused
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
