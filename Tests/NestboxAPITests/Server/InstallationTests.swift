import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import TestKubernetes
import Testing

/// `manifests/` and `nodepools/` on a real API server, by the kubectl of its version.
@Suite(.integration, .kubernetes, .serialized, .timeLimit(.minutes(10))) struct InstallationTests {
    static let definitions = SchemaTests.kinds.map { "crd/\($0.type.resourceType)" }

    private func withKinds(_ body: (Kubectl, KubernetesClient) async throws -> Void) async throws {
        let cluster = try TestKubernetes.current()
        let kubectl = try Kubectl(cluster)
        do {
            try await kubectl("apply", "-k", "manifests/crds")
        } catch let error as KubectlError where error.description.contains("AlreadyExists") {
            // Another suite made them between kubectl's look and its write.
            try await kubectl("apply", "-k", "manifests/crds")
        }
        try await kubectl(
            "wait", "--for=condition=Established", "--timeout=60s", Self.definitions[0], Self.definitions[1], Self.definitions[2])
        try await cluster.withClient { try await body(kubectl, $0) }
    }

    @Test func theKindsAreTakenAndStay() async throws {
        try await withKinds { kubectl, client in
            let again = try await kubectl("apply", "-k", "manifests/crds")
            #expect(again.count == 3 && again.allSatisfy { $0.hasSuffix("unchanged") }, "\(again)")
            for kind in SchemaTests.kinds {
                let definition = try await client.get(CustomResourceDefinition.self, kind.type.resourceType.description)
                // What a server of any version finds fault with in a schema.
                let faults = definition.status?.conditions?.filter { $0.type == "NonStructuralSchema" && $0.status == "True" }
                #expect(faults?.isEmpty == true, "\(kind)")
            }
        }
    }

    @Test func theOperatorIsTakenAndStays() async throws {
        try await withKinds { kubectl, client in
            try await kubectl("apply", "-k", "manifests/operator")
            let again = try await kubectl("apply", "-k", "manifests/operator")
            #expect(!again.isEmpty && again.allSatisfy { $0.hasSuffix("unchanged") }, "\(again)")
            try await kubectl("apply", "-k", "manifests/lab")
            let machines = try await client.get(Deployment.self, "nestbox-machines", namespace: "nestbox-system")
            #expect(machines.spec?.replicas == 1)
            let store = try #require(machines.spec?.template?.spec?.volumes?.first { $0.name == "artifacts" })
            #expect(store.hostPath?.path == "/var/cache/nestbox" && store.emptyDir == nil)
        }
    }

    @Test func samplesLive() async throws {
        try await withKinds { kubectl, client in
            for team in ["team-a", "team-c", "team-d"] {
                _ = try await client.apply(Namespace(metadata: ObjectMeta(name: team)), fieldManager: "test")
            }
            for file in try ManifestFiles.names(in: "nodepools") { try await kubectl("apply", "-f", "nodepools/\(file)") }
            let documents = try ManifestFiles.names(in: "nodepools").flatMap { try ManifestFiles.documents("nodepools/\($0)") }
            let clusters = try await client.list(HostedCluster.self).items
            let pools = try await client.list(NodePool.self).items
            let machines = try await client.list(Machine.self).items
            #expect(Set(documents.map(\.title)).isSubset(of: clusters.map(\.title) + pools.map(\.title) + machines.map(\.title)))
            // Nothing of a spec was pruned.
            for document in documents where document["kind"] == "HostedCluster" {
                let spec = try document.decoded(HostedCluster.self).spec
                #expect(clusters.first { $0.title == document.title }?.spec == spec)
            }
            let shown = try await kubectl("get", "nestbox", "-A", "-o", "wide")
            #expect(shown.contains { $0.contains("hostedcluster.nestbox.dev/demo") })
        }
    }

    @Test func poolsScale() async throws {
        try await withKinds { kubectl, client in
            let namespace = try await TestKubernetes.current().makeNamespace(client)
            var pool = NodePool(metadata: ObjectMeta(name: "p", namespace: namespace), spec: NodePoolSpec(clusterName: "c"))
            pool = try await client.create(pool)
            #expect(pool.spec?.replicas == 0)
            try await kubectl("scale", "nodepool", "p", "--replicas=3", "-n", namespace)
            try await kubectl("scale", "np/p", "--replicas=4", "--current-replicas=3", "-n", namespace)
            pool = try await client.get(NodePool.self, "p", namespace: namespace)
            #expect(pool.spec?.replicas == 4)
            pool.status = NodePoolStatus(replicas: 2, selector: "nestbox.dev/nodepool=p")
            _ = try await client.updateStatus(pool)
            let scale = try await client.subresource(
                .get, "scale", of: NodePool.self, "p", namespace: namespace, body: JSONValue?.none
            ).decoded(Scale.self)
            #expect(scale.spec?.replicas == 4 && scale.status == ScaleStatus(replicas: 2, selector: "nestbox.dev/nodepool=p"))
        }
    }

    /// Every field that Swift writes into a status comes back: nothing is pruned, nothing refused.
    @Test func statusesComeBackAsTheyWereWritten() async throws {
        try await withKinds { kubectl, client in
            let namespace = try await TestKubernetes.current().makeNamespace(client)
            var cluster = HostedCluster(
                metadata: ObjectMeta(name: "c", namespace: namespace), spec: HostedClusterSpec(version: KubernetesVersion(1, 20, 2)))
            cluster = try await client.create(cluster)
            cluster.status = FullStatus.hostedCluster
            #expect(try await client.updateStatus(cluster).status == FullStatus.hostedCluster)

            var pool = NodePool(metadata: ObjectMeta(name: "p", namespace: namespace), spec: NodePoolSpec(clusterName: "c"))
            pool = try await client.create(pool)
            pool.status = FullStatus.nodePool
            #expect(try await client.updateStatus(pool).status == FullStatus.nodePool)

            var machine = Machine(metadata: ObjectMeta(name: namespace), spec: MachineSpec(address: "192.0.2.1", sshKeySecret: "k"))
            machine = try await client.create(machine)
            machine.status = FullStatus.machine
            #expect(try await client.updateStatus(machine).status == FullStatus.machine)

            try await kubectl("wait", "--for=condition=Available", "--timeout=10s", "hc/c", "-n", namespace)
            #expect(try await kubectl("get", "mach", namespace).last?.contains("Ready") == true)
        }
    }

    /// What the server itself refuses, by the field, before the operator sees it.
    @Test(arguments: [
        ("metadata.name", #"{"kind":"HostedCluster","metadata":{"name":"a.b"},"spec":{"version":"v1.20.2"}}"#),
        ("metadata.name", #"{"kind":"Machine","metadata":{"name":"a.b"},"spec":{"address":"h","sshKeySecret":"k"}}"#),
        ("spec.version", #"{"kind":"HostedCluster","metadata":{"name":"a"},"spec":{"version":"newest"}}"#),
        ("spec.version", #"{"kind":"HostedCluster","metadata":{"name":"a"},"spec":{}}"#),
        (
            "spec.controlPlane.replicas",
            #"{"kind":"HostedCluster","metadata":{"name":"a"},"spec":{"version":"v1.20.2","controlPlane":{"replicas":2}}}"#
        ),
        ("spec.replicas", #"{"kind":"NodePool","metadata":{"name":"a"},"spec":{"clusterName":"c","replicas":-1}}"#),
        ("spec.port", #"{"kind":"Machine","metadata":{"name":"a"},"spec":{"address":"h","sshKeySecret":"k","port":0}}"#),
        ("spec.reuse", #"{"kind":"Machine","metadata":{"name":"a"},"spec":{"address":"h","sshKeySecret":"k","reuse":"Any"}}"#),
    ])
    func theServerRefuses(field: String, text: String) async throws {
        try await withKinds { _, client in
            var document = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
            let kind = try #require(SchemaTests.kinds.first { $0.type.resourceType.kind == document["kind"]?.string }).type.resourceType
            document["apiVersion"] = .string(kind.apiVersion)
            let place = kind.namespaced ? "namespaces/default/" : ""
            let answer = try await client.raw(.post, path: "/apis/\(kind.apiVersion)/\(place)\(kind.resource)", body: document)
            #expect(answer.status == 422)
            #expect(String(decoding: answer.body, as: UTF8.self).contains(field))
        }
    }
}

extension KubernetesObject {
    fileprivate var title: String { "\(Self.resourceType.kind)/\(name)" }
}
