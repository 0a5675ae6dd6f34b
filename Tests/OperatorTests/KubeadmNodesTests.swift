import ControlPlane
import Foundation
import KubernetesAPI
import NestboxAPI
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
