import NestboxAPI
import Testing

@testable import Lab

@Suite("Address plan")
struct AddressPlanTests {
    @Test func aSlotIsASlash22WithFourNetworks() throws {
        let plan = try #require(AddressPlan(slot: 5))
        #expect("\(plan.all)" == "10.213.20.0/22")
        #expect("\(plan.computer) \(plan.host)" == "10.213.20.1 10.213.20.2")
        #expect("\(plan.machines) \(plan.gateway) \(plan.machine(1))" == "10.213.21.0/24 10.213.21.1 10.213.21.11")
        #expect("\(plan.pods)" == "10.213.22.0/24")
        #expect("\(plan.services) \(plan.apiService)" == "10.213.23.0/24 10.213.23.1")
        #expect(AddressPlan(slot: 64) == nil)
        #expect(AddressPlan(slot: -1) == nil)
    }

    @Test func theHostsNodesShareItsPods() throws {
        let plan = try #require(AddressPlan(slot: 5))
        #expect("\(plan.hostNodes) \(plan.hostNodesGateway) \(plan.hostNode(2))" == "10.213.20.64/26 10.213.20.65 10.213.20.66")
        #expect(!plan.hostNodes.contains(plan.computer) && !plan.hostNodes.contains(plan.host))
        let alone = HostNode.all(1, embedded: "nestbox-demo", in: plan)
        #expect(alone.map(\.pods) == ["10.213.22.0/24"] && alone.map(\.address) == ["10.213.20.2"])
        let three = HostNode.all(3, embedded: "nestbox-demo", in: plan)
        #expect(three.map(\.name) == ["nestbox-demo", "host-2", "host-3"])
        #expect(three.map(\.pods) == ["10.213.22.0/25", "10.213.22.128/26", "10.213.22.192/26"])
        #expect(Set(three.map(\.zone)).count == 3)
    }

    @Test func everySlotLiesInTheSpaceAndOverlapsNoOther() throws {
        let plans = (0..<AddressPlan.slots).compactMap(AddressPlan.init(slot:))
        #expect(plans.count == 64)
        let space = try #require(IPv4Network("10.213.0.0/16"))
        #expect(plans.allSatisfy { space.contains($0.all.base) })
        for (index, plan) in plans.enumerated() {
            #expect(!plans[(index + 1)...].contains { plan.overlaps($0.all) })
        }
    }

    @Test func theChoiceIsTheSameEveryTimeAndGivesWayToWhatIsThere() throws {
        let name = try LabName("demo")
        let first = try AddressPlan.choose(for: name, inUse: [])
        #expect(first.slot == 22)
        let second = try AddressPlan.choose(for: name, inUse: [first.all])
        #expect(second.slot == 23)
        let address = try #require(IPv4Network("10.213.92.7/32"))
        #expect(try AddressPlan.choose(for: name, inUse: [first.all, address]).slot == 24)
    }

    @Test func itWrapsAround() throws {
        let name = try LabName("demo")
        let upper = try #require(IPv4Network("10.213.64.0/18"))
        let rest = try #require(IPv4Network("10.213.128.0/17"))
        #expect(try AddressPlan.choose(for: name, inUse: [upper, rest]).slot == 0)
    }

    @Test func aDefaultRouteClashesWithNothing() throws {
        let everything = try #require(IPv4Network("0.0.0.0/0"))
        #expect(try AddressPlan.choose(for: LabName("demo"), inUse: [everything]).slot == 22)
    }

    @Test func nothingFreeIsAnError() throws {
        let everything = try #require(IPv4Network("10.0.0.0/8"))
        #expect(throws: LabError.self) { try AddressPlan.choose(for: LabName("demo"), inUse: [everything]) }
    }

    @Test func networksInUseAreReadFromTheRoutes() {
        let routes = """
            default via 192.0.2.1 dev eth0
            10.213.88.0/30 dev nb-demo proto kernel scope link src 10.213.88.1
            10.213.89.0/24 via 10.213.88.2 dev nb-demo
            172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 linkdown
            unreachable 10.213.4.0/22
            local 192.0.2.2 dev eth0 table local proto kernel scope host src 192.0.2.2

            """
        #expect(
            NetworksInUse.parse(routes: routes, except: "nb-demo").map(\.description)
                == ["172.17.0.0/16", "10.213.4.0/22", "192.0.2.2/32"])
        #expect(NetworksInUse.parse(routes: routes, except: "").count == 5)
    }
}
