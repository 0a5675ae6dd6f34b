import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import TestKubernetes
import Testing

@testable import Operator

/// A HostedCluster on a real API server with Nestbox's kinds, and the reconciler that a pass is made with.
struct Host {
    let client: KubernetesClient
    let namespace: String
    let reconciler: HostedClusterReconciler

    static func with(
        _ change: (inout HostedClusterSpec) -> Void = { _ in }, withStorage: Bool = false, _ body: (Host) async throws -> Void
    ) async throws {
        let cluster = try TestKubernetes.current()
        try await cluster.installKinds()
        try await cluster.withClient { client in
            let text = try await client.serverVersion()
            let version = try #require(KubernetesVersion(text))
            let namespace = try await cluster.makeNamespace(client)
            try await eventually("the kind to be served") { (try? await client.list(HostedCluster.self)) != nil }
            var spec = HostedClusterSpec(version: KubernetesVersion(1, 20, 2), publish: PublishSpec(addresses: ["192.0.2.1"]))
            change(&spec)
            // Of the test's own, and nobody's default.
            let storage = StorageClass(metadata: ObjectMeta(name: namespace), provisioner: "example.com/none")
            if withStorage {
                _ = try await client.create(storage)
                spec.etcd = EtcdSpec(storage: EtcdStorageSpec(storageClassName: namespace))
            }
            _ = try await client.create(HostedCluster(metadata: ObjectMeta(name: "demo", namespace: namespace), spec: spec))
            do {
                try await body(Host(client: client, namespace: namespace, reconciler: Self.reconciler(client, on: version)))
            } catch {
                if withStorage { try await client.remove(storage) }
                throw error
            }
            if withStorage { try await client.remove(storage) }
        }
    }

    /// The same, by an operator that knows nothing of what was done before.
    func restarted() -> Host {
        Host(client: client, namespace: namespace, reconciler: Self.reconciler(client, on: reconciler.hostVersion))
    }

    var key: ObjectKey { ObjectKey(namespace: namespace, name: "demo") }
    var controlPlane: String { ControlPlaneNamespace.name(namespace: namespace, cluster: "demo") }

    @discardableResult
    func pass(_ times: Int = 1) async throws -> ReconcileResult {
        var result = ReconcileResult.done
        for _ in 0..<times { result = try await reconciler.reconcile(key) }
        return result
    }

    func cluster() async throws -> HostedCluster { try await client.get(HostedCluster.self, "demo", namespace: namespace) }

    /// What is made of the spec, and how often it was changed.
    func templates() async throws -> Templates {
        let deployment = try await client.get(Deployment.self, NestboxName.controlPlaneDeployment, namespace: controlPlane)
        let set = try await client.get(StatefulSet.self, NestboxName.etcdStatefulSet, namespace: controlPlane)
        return Templates(
            pods: [deployment.spec?.template, set.spec?.template],
            generations: [deployment.metadata.generation ?? 0, set.metadata.generation ?? 0])
    }

    struct Templates: Equatable {
        var pods: [PodTemplateSpec?]
        var generations: [Int]

        var images: [String] { pods.flatMap { $0?.spec?.containers ?? [] }.compactMap(\.image) }
    }

    func changeSpec(_ change: (inout HostedClusterSpec) -> Void) async throws {
        var cluster = try await cluster()
        var spec = cluster.spec ?? HostedClusterSpec()
        change(&spec)
        cluster.spec = spec
        _ = try await client.update(cluster)
    }

    func condition(_ type: String) async throws -> Condition? { try await cluster().status?.conditions?.named(type) }

    func secret(_ name: String) async throws -> Secret { try await client.get(Secret.self, name, namespace: controlPlane) }

    func ask(_ request: CertificateRenewalRequest) async throws {
        _ = try await client.patch(
            HostedCluster.self, "demo", namespace: namespace,
            merge: ["metadata": ["annotations": [CertificateRenewalRequest.annotation: .string(try request.annotationText)]]])
    }

    func change(_ change: (inout HostedClusterStatus) -> Void) async throws {
        var cluster = try await cluster()
        var status = cluster.status ?? HostedClusterStatus()
        change(&status)
        cluster.status = status
        _ = try await client.updateStatus(cluster)
    }

    private static func reconciler(_ client: KubernetesClient, on hostVersion: KubernetesVersion) -> HostedClusterReconciler {
        HostedClusterReconciler(
            client: client,
            sessions: TenantSessions(logger: .quiet, rightsLost: { _, _ in }, statusChanged: { _ in }, nodeChanged: { _ in }),
            hostNodes: Informer(client: client, logger: .quiet), hostVersion: hostVersion, applied: AppliedObjects(),
            events: EventRecorder(client: client, component: "test", logger: .quiet), operatorNamespace: "nestbox", logger: .quiet,
            sessionOpened: { _ in })
    }
}
