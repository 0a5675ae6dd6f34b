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
        var addresses = 3
        var replicas = 3
        var serving = 3
        var present: TrafficPolicy?
        var expected: TrafficPolicy
    }

    static let cases = [
        Case(testDescription: "each address has a replica", expected: .local),
        Case(testDescription: "fewer addresses than replicas", addresses: 1, expected: .local),
        Case(testDescription: "one of ten addresses would lead nowhere", addresses: 10, expected: .cluster),
        Case(testDescription: "a load balancer checks its addresses", type: "LoadBalancer", addresses: 10, expected: .local),
        Case(testDescription: "one replica moves", type: "LoadBalancer", replicas: 1, serving: 1, expected: .cluster),
        Case(testDescription: "one replica on one node", addresses: 1, replicas: 1, serving: 1, expected: .cluster),
        Case(testDescription: "scaled up, and not there yet", serving: 1, present: .cluster, expected: .cluster),
        Case(testDescription: "scaled up, and there", present: .cluster, expected: .local),
        Case(testDescription: "a node is lost", serving: 2, present: .local, expected: .local),
        Case(testDescription: "scaled down", replicas: 1, present: .local, expected: .cluster),
        Case(testDescription: "a fourth node came", addresses: 4, present: .local, expected: .cluster),
        Case(testDescription: "a person said so", asked: "Local", addresses: 10, replicas: 1, serving: 0, expected: .local),
        Case(testDescription: "a person said otherwise", asked: "Cluster", present: .local, expected: .cluster),
    ]

    @Test(arguments: cases)
    func decision(_ given: Case) {
        #expect(
            TrafficPolicy.decide(
                asked: given.asked, type: given.type, addresses: given.addresses, replicas: given.replicas, serving: given.serving,
                present: given.present) == given.expected)
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
