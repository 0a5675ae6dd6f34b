import KubernetesAPI
import NestboxAPI
import Testing

@testable import Operator

@Suite("PoolDecision")
struct PoolDecisionTests {
    static let cluster = HostedCluster(
        metadata: ObjectMeta(name: "demo", namespace: "tenants", uid: "cluster-1"),
        spec: HostedClusterSpec(network: NetworkSpec(pods: "10.244.0.0/16")))

    static func pool(replicas: Int, selector: LabelSelector? = nil) -> NodePool {
        NodePool(
            metadata: ObjectMeta(name: "workers", namespace: "tenants", uid: "pool-1"),
            spec: NodePoolSpec(clusterName: "demo", replicas: replicas, machineSelector: selector))
    }

    static func free(_ name: String, labels: [String: String]? = nil) -> Machine {
        Machine(metadata: ObjectMeta(name: name, labels: labels), spec: MachineSpec(), status: MachineStatus(phase: .available))
    }

    static func held(_ name: String, phase: MachinePhase = .ready, podCIDR: String, pool: String = "pool-1") -> Machine {
        Machine(
            metadata: ObjectMeta(name: name), spec: MachineSpec(),
            status: MachineStatus(
                phase: phase,
                claim: MachineClaim(
                    namespace: "tenants", nodePool: "workers", nodePoolUID: pool, hostedCluster: "demo", hostedClusterUID: "cluster-1",
                    epoch: 1, podCIDR: podCIDR)))
    }

    @Test func claimsByNameAndHandsOutNetworks() {
        let decision = PoolDecision(
            pool: Self.pool(replicas: 2), cluster: Self.cluster,
            machines: [Self.free("c"), Self.free("b"), Self.held("a", podCIDR: "10.244.0.0/24", pool: "another")])
        #expect(
            decision.claims == [
                .init(machine: "b", podCIDR: "10.244.1.0/24"), .init(machine: "c", podCIDR: "10.244.2.0/24"),
            ])
        #expect(decision.missing == 0)
    }

    @Test func saysHowManyMachinesAreMissing() {
        let decision = PoolDecision(pool: Self.pool(replicas: 3), cluster: Self.cluster, machines: [Self.free("a")])
        #expect(decision.claims.count == 1)
        #expect(decision.missing == 2)
    }

    @Test func releasesUnhealthyMachinesFirst() {
        let machines = [
            Self.held("a", phase: .joining, podCIDR: "10.244.0.0/24"), Self.held("b", podCIDR: "10.244.1.0/24"),
            Self.held("c", podCIDR: "10.244.2.0/24"),
        ]
        #expect(PoolDecision(pool: Self.pool(replicas: 2), cluster: Self.cluster, machines: machines).releases == ["a"])
        #expect(PoolDecision(pool: Self.pool(replicas: 1), cluster: Self.cluster, machines: machines).releases == ["a", "c"])
    }

    @Test func replacesQuarantinedMachines() {
        let decision = PoolDecision(
            pool: Self.pool(replicas: 1), cluster: Self.cluster,
            machines: [Self.held("a", phase: .quarantined, podCIDR: "10.244.0.0/24"), Self.free("b")])
        #expect(decision.claims == [.init(machine: "b", podCIDR: "10.244.1.0/24")])
    }

    @Test func givesEverythingBackWhenTheClusterIsGone() {
        let machines = [Self.held("a", podCIDR: "10.244.0.0/24"), Self.free("b")]
        let decision = PoolDecision(pool: Self.pool(replicas: 2), cluster: nil, machines: machines)
        #expect(decision.releases == ["a"])
        #expect(decision.claims.isEmpty)
    }

    @Test(
        "Who may claim a machine",
        arguments: [
            (lastTenant: String?.none, reuse: ReusePolicy?.none, allowed: [String]?.none, may: true),
            ("tenants", nil, nil, true),
            ("others", nil, nil, false),
            ("others", .sameTenant, nil, false),
            ("others", .anyTenant, nil, true),
            (nil, nil, ["others"], false),
            (nil, nil, ["others", "tenants"], true),
        ])
    func reuse(lastTenant: String?, reuse: ReusePolicy?, allowed: [String]?, may: Bool) {
        var machine = Self.free("a")
        machine.status?.lastTenant = lastTenant
        machine.spec?.reuse = reuse
        machine.spec?.allowedNamespaces = allowed
        #expect(machine.mayBeClaimed(by: Self.pool(replicas: 1)) == may)
    }

    @Test func selectorsChooseAmongMachines() {
        let decision = PoolDecision(
            pool: Self.pool(replicas: 2, selector: LabelSelector(matchLabels: ["gpu": "yes"])), cluster: Self.cluster,
            machines: [Self.free("a"), Self.free("b", labels: ["gpu": "yes"])])
        #expect(decision.claims.map(\.machine) == ["b"])
        #expect(decision.missing == 1)
    }

    @Test func saysWhenThePodNetworkIsFull() {
        var small = Self.cluster
        small.spec?.network?.pods = "10.244.0.0/24"
        var networks = PodNetworks(clusterCIDR: "10.244.0.0/24", taken: ["10.244.0.0/28"])
        #expect(networks.next() == "10.244.0.16/28")
        let taken = (0..<16).map { Self.held("h\($0)", podCIDR: "10.244.0.\($0 * 16)/28") }
        let decision = PoolDecision(pool: Self.pool(replicas: 17), cluster: small, machines: taken + [Self.free("z")])
        #expect(decision.claims.isEmpty)
        #expect(decision.blocked?.contains("no room") == true)
    }
}
