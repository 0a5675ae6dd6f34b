import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import ControlPlane

@Suite("For whose pods a node of the host answers")
struct TrafficPolicyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var asked: String?
        var type = "NodePort"
        var addresses: [PublishedAddress] = [.served, .served, .served]
        var replicas = 3
        var serving = 3
        var present: TrafficPolicy?
        var expected: TrafficPolicy
    }

    static let cases = [
        Case(testDescription: "each address has a replica", expected: .local),
        Case(testDescription: "fewer addresses than replicas", addresses: [.served], expected: .local),
        Case(testDescription: "one address would lead nowhere", addresses: [.served, .served, .unserved], expected: .cluster),
        Case(testDescription: "a name, or an address that moves", addresses: [.unserved], expected: .cluster),
        Case(testDescription: "no address", addresses: [], expected: .cluster),
        Case(testDescription: "a load balancer checks its addresses", type: "LoadBalancer", addresses: [.unserved], expected: .local),
        Case(testDescription: "one replica moves", type: "LoadBalancer", replicas: 1, serving: 1, expected: .cluster),
        Case(testDescription: "one replica on one node", addresses: [.served], replicas: 1, serving: 1, expected: .cluster),
        Case(
            testDescription: "scaled up, and not there yet", addresses: [.served, .unserved, .unserved], serving: 1, present: .cluster,
            expected: .cluster),
        Case(
            testDescription: "scaled up behind a load balancer, and not there yet", type: "LoadBalancer", serving: 2, present: .cluster,
            expected: .cluster),
        Case(testDescription: "scaled up, and there", present: .cluster, expected: .local),
        Case(
            testDescription: "a node is lost", addresses: [.served, .interrupted, .served], serving: 2, present: .local, expected: .local),
        Case(
            testDescription: "a node is away from the beginning", addresses: [.served, .interrupted, .served], present: .cluster,
            expected: .cluster),
        Case(
            testDescription: "it came back, and its replica is elsewhere", addresses: [.served, .unserved, .served], present: .local,
            expected: .cluster),
        Case(testDescription: "scaled down", replicas: 1, present: .local, expected: .cluster),
        Case(testDescription: "a person said so", asked: "Local", addresses: [.unserved], replicas: 1, serving: 0, expected: .local),
        Case(testDescription: "a person said otherwise", asked: "Cluster", present: .local, expected: .cluster),
    ]

    @Test(arguments: cases)
    func decision(_ given: Case) {
        #expect(
            TrafficPolicy.decide(
                asked: given.asked, type: given.type, addresses: given.addresses, replicas: given.replicas, serving: given.serving,
                present: given.present) == given.expected)
    }

    @Test func whatIsBehindAnAddress() {
        func node(_ name: String, _ address: String, ready: Bool = true) -> Node {
            Node(
                metadata: ObjectMeta(name: name),
                status: NodeStatus(
                    conditions: [StatusCondition(type: "Ready", status: ready ? "True" : "Unknown")],
                    addresses: [NodeAddress(type: "InternalIP", address: address)]))
        }
        let nodes = [node("a", "192.0.2.1"), node("b", "192.0.2.2"), node("c", "192.0.2.3", ready: false), node("d", "192.0.2.4")]
        func behind(_ publish: PublishSpec?) -> [PublishedAddress] {
            PublishedEndpoints.addresses(publish, hostNodes: nodes, replicas: ["a", "d"], serving: ["a"])
        }
        #expect(behind(nil) == [.served, .unserved, .interrupted, .interrupted])
        #expect(behind(PublishSpec(addresses: ["api.example.net", "192.0.2.1"])) == [.unserved, .served])
    }

    @Test func bothServicesHaveIt() throws {
        let settings = try ClusterSettings(Fixture.cluster(KubernetesVersion(1, 20, 2)))
        func policies(_ traffic: TrafficPolicy) -> [String?] {
            PublishedServices.render(settings, known: PublishedEndpoints(), traffic: traffic).map { $0.spec?.externalTrafficPolicy }
        }
        #expect(policies(.local) == ["Local", "Local"])
        #expect(policies(.cluster) == [nil, nil])
    }
}
