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

@Suite struct KubeadmNodesTests {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)
    static let join = KubeadmJoin(
        network: NetworkSpec(pods: "10.244.0.0/16", services: "10.96.0.0/16", nodeLocalAPIAddress: "172.20.0.1", cni: "bridge"),
        endpoints: PublishedEndpoints(api: ["192.0.2.1:1"], tunnel: ["192.0.2.1:2"]))

    static func record(_ node: String, _ addresses: [String] = [], podCIDR: String = "", age: TimeInterval = 0, isKubeadms: Bool = true)
        -> NodeRecord
    {
        NodeRecord(
            node: node, addresses: addresses, podCIDR: podCIDR, notBefore: "2026-01-01T00:00:00Z", since: now.addingTimeInterval(-age),
            epoch: 0, isKubeadms: isKubeadms)
    }

    static func node(_ name: String, _ addresses: [String], podCIDR: String? = nil) -> Node {
        var node = Node(metadata: ObjectMeta(name: name), spec: NodeSpec(podCIDR: podCIDR))
        node.status = NodeStatus(
            addresses: [NodeAddress(type: "Hostname", address: name)] + addresses.map { NodeAddress(type: "InternalIP", address: $0) })
        return node
    }

    func decide(_ records: [NodeRecord], _ nodes: [Node]) -> KubeadmNodesDecision {
        KubeadmNodesDecision(Self.join, records: records, nodes: nodes, now: Self.now)
    }

    @Test func aNodeIsRecordedOnceAndAsItCame() {
        let pool = Self.record("worker-1", ["192.0.2.9"], podCIDR: "10.244.255.0/24", isKubeadms: false)
        let came = decide([pool, Self.record("box")], [Self.node("box", ["192.0.2.10", "192.0.2.11"])])
        // From the end, and not what another carries.
        let expected = Self.record("box", ["192.0.2.10"], podCIDR: "10.244.254.0/24")
        #expect(came.records == [expected] && came.podCIDRs == ["box": "10.244.254.0/24"] && came.problems.isEmpty)
        // What it says later is not believed.
        let later = decide([pool, expected], [Self.node("box", ["192.0.2.66"], podCIDR: "10.244.254.0/24")])
        #expect(later.records.isEmpty && later.podCIDRs == came.podCIDRs)
        let files = later.files(Self.join, certificateAuthority: "CA")
        #expect(Set(files.keys) == ["ca.crt", "box.conf", "box.conflist"])
        #expect(files["box.conf"]?.contains("pod-cidr = 10.244.254.0/24\n") == true)
        #expect(files["box.conflist"]?.contains("\"ipMasq\": true") == true)
    }

    @Test(arguments: [
        ["192.0.2.9"], ["10.244.0.5"], ["10.96.0.1"], ["172.20.0.1"], [], ["2001:db8::1"],
    ])
    func whatItMayNotHaveItIsNotGiven(addresses: [String]) {
        let pool = Self.record("worker-1", ["192.0.2.9"], podCIDR: "10.244.0.0/24", isKubeadms: false)
        let decision = decide([pool, Self.record("box")], [Self.node("box", addresses)])
        #expect(decision.records.isEmpty && decision.podCIDRs.isEmpty && decision.problems.count == 1)
    }

    @Test func oneIsForgottenWithItsNode() {
        let gone = decide([Self.record("box", ["192.0.2.10"], podCIDR: "10.244.255.0/24")], [])
        #expect(gone.forgotten == ["box"])
        let coming = decide([Self.record("box", age: 60)], [])
        #expect(coming.forgotten.isEmpty && coming.lookAgain == Self.now.addingTimeInterval(3540))
        #expect(decide([Self.record("box", age: 3601)], []).forgotten == ["box"])
        // Pools' own are looked after elsewhere.
        #expect(decide([Self.record("worker-1", ["192.0.2.9"], isKubeadms: false)], []).forgotten.isEmpty)
    }

    @Test func whatIsWrittenIsRead() {
        let record = Self.record("box", ["192.0.2.10"], podCIDR: "10.244.255.0/24")
        #expect(NodeRecord(record.object) == record)
        #expect(NodeRecord(Self.record("m", ["192.0.2.10"], isKubeadms: false).object)?.isKubeadms == false)
    }
}

/// The same on a real API server: a request of kubeadm's, and the Node that comes of it.
@Suite(.integration, .serialized, .timeLimit(.minutes(10))) struct KubeadmJoinTests {
    @Test func aNodeIsNamedRecordedMarkedAndForgotten() async throws {
        try await TestKubernetes.with { cluster in
            try await cluster.withClient { client in try await walk(cluster, client) }
        }
    }

    private func walk(_ cluster: TestKubernetes, _ client: KubernetesClient) async throws {
        let version = try #require(KubernetesVersion(try await client.serverVersion()))
        let hosted = HostedCluster(
            metadata: ObjectMeta(name: "demo", namespace: "team-a", uid: "u"),
            spec: HostedClusterSpec(version: version, publish: PublishSpec(addresses: ["192.0.2.1"]), join: JoinSpec(kubeadm: true)))
        for object in TenantObjects.access(try ClusterSettings(hosted.withDefaults())) {
            _ = try await client.apply(object, fieldManager: "test")
        }
        // With the rights that the operator gives itself in a tenant, and no more.
        try await cluster.withClient(try cluster.configuration(user: NestboxName.operatorUser, groups: [])) { own in
            let requests = Informer<CertificateSigningRequest>(client: own, logger: .quiet)
            let nodes = Informer<Node>(client: own, logger: .quiet)
            let kubeadm = KubeadmNodes(client: own, nodes: nodes, certificateAuthority: "CA", logger: .quiet)
            let approval = CertificateApproval(
                client: own, requests: requests, logger: .quiet, allowsKubeadm: { kubeadm.isAllowed }, rightsLost: {})
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await requests.run() }
                group.addTask { try await nodes.run() }
                defer { group.cancelAll() }
                try await requests.waitUntilSynced()
                try await nodes.waitUntilSynced()
                try await life(cluster, client, approval: approval, kubeadm: kubeadm, requests: requests, nodes: nodes)
            }
        }
    }

    private func life(
        _ cluster: TestKubernetes, _ client: KubernetesClient, approval: CertificateApproval, kubeadm: KubeadmNodes,
        requests: Informer<CertificateSigningRequest>, nodes: Informer<Node>
    ) async throws {
        // Not while the cluster does not let them.
        let early = try await ask("early", cluster, requests)
        _ = try await approval.reconcile(early)
        #expect(try await verdict(early, client) == "Denied")
        kubeadm.follow(KubeadmNodesTests.join)
        let first = try await ask("first", cluster, requests)
        _ = try await approval.reconcile(first)
        #expect(try await verdict(first, client) == "Approved")
        let pending = try #require(try await client.nodeRecord("worker-1"))
        #expect(pending.isKubeadms && pending.isPending && pending.addresses.isEmpty)
        var node = try await client.create(Node(metadata: ObjectMeta(name: "worker-1")))
        node.status = NodeStatus(addresses: [NodeAddress(type: "InternalIP", address: "192.0.2.10")])
        _ = try await client.updateStatus(node)
        try await eventually("the Node to be seen") { nodes.get(ObjectKey(name: "worker-1"))?.status?.addresses?.isEmpty == false }
        _ = try await kubeadm.reconcile(KubeadmNodes.all)
        #expect(try await client.nodeRecord("worker-1")?.addresses == ["192.0.2.10"])
        let marked = try await client.get(Node.self, "worker-1")
        #expect(marked.metadata.labels?[NodeAgentObjects.nodeLabel.key] == "daemonset" && marked.spec?.podCIDR == "10.244.255.0/24")
        let files = try await client.get(ConfigMap.self, NodeAgentObjects.name, namespace: "kube-system").data
        #expect(files?["worker-1.conf"]?.contains("node-name = worker-1\n") == true)
        // The first certificate was issued: the name is taken.
        var record = try #require(try await client.nodeRecord("worker-1"))
        record.notBefore = "2026-01-01T00:00:00Z"
        try await client.applyNodeRecord(record)
        let second = try await ask("second", cluster, requests)
        _ = try await approval.reconcile(second)
        #expect(try await verdict(second, client) == "Denied")

        try await client.delete(Node.self, "worker-1")
        try await eventually("the Node to be gone") { nodes.get(ObjectKey(name: "worker-1")) == nil }
        _ = try await kubeadm.reconcile(KubeadmNodes.all)
        #expect(try await client.nodeRecord("worker-1") == nil)
        let left = try await client.get(ConfigMap.self, NodeAgentObjects.name, namespace: "kube-system").data
        #expect(left?.keys.sorted() == ["ca.crt"])
    }

    /// As kubeadm's kubelet asks for the certificate of worker-1.
    private func ask(_ name: String, _ cluster: TestKubernetes, _ requests: Informer<CertificateSigningRequest>) async throws -> ObjectKey {
        let kubelet = try cluster.configuration(
            user: "system:bootstrap:kubead", groups: ["system:bootstrappers", NestboxName.kubeadmBootstrappersGroup])
        let request = try await cluster.withClient(kubelet) {
            try await $0.create(
                CertificateSigningRequest(
                    metadata: ObjectMeta(name: name),
                    spec: CertificateSigningRequestSpec(
                        request: Base64(text: CertificateApprovalTests.request), signerName: CertificateDecision.clientSigner,
                        usages: ["digital signature", "client auth"])))
        }
        try await eventually("the request to be seen") { requests.get(ObjectKey(request)) != nil }
        return ObjectKey(request)
    }

    private func verdict(_ key: ObjectKey, _ client: KubernetesClient) async throws -> String? {
        try await client.get(CertificateSigningRequest.self, key.name).status?.conditions?.first?.type
    }
}
