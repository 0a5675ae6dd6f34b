import Testing
import Tunnel

@testable import NodeAgent

@Suite("rtnetlink messages")
struct NetlinkMessageTests {
    /// As strace shows `ip addr add 172.20.0.1/32 dev lo scope host`, on a little-endian machine.
    @Test("The bytes of an address")
    func address() throws {
        let address = InterfaceAddress(
            address: try #require(IPAddress("172.20.0.1")), prefixLength: 32, scope: Netlink.scopeHost, interface: 1)
        let message = NetlinkMessage(kind: Netlink.Kind.newAddress, flags: 0x605, sequence: 1, payload: address.payload)
        #expect(
            message.encoded == [
                40, 0, 0, 0, 20, 0, 5, 6, 1, 0, 0, 0, 0, 0, 0, 0,
                2, 32, 0, 254, 1, 0, 0, 0,
                8, 0, 2, 0, 172, 20, 0, 1,
                8, 0, 1, 0, 172, 20, 0, 1,
            ])
        #expect(NetlinkMessage.decode(message.encoded) == [message])
        #expect(InterfaceAddress(message) == address)
    }

    @Test("A route comes back as it was sent")
    func route() throws {
        for (block, gateway) in [("10.244.1.0/24", "192.0.2.1"), ("fd00:1::/64", "fd00::1")] {
            let route = KernelRoute(
                destination: try #require(AddressBlock(block)), gateway: IPAddress(gateway), priority: 780, protocolNumber: 78)
            let message = NetlinkMessage(kind: Netlink.Kind.newRoute, flags: 0, sequence: 1, payload: route.payload())
            #expect(KernelRoute(message) == route)
        }
    }

    @Test("The code of an error, whatever it is", arguments: [(0, 0), (-17, 17), (Int32.min, Int32.min)] as [(Int32, Int32)])
    func error(sent: Int32, code: Int32) {
        var payload: [UInt8] = []
        payload.append(native: sent)
        #expect(NetlinkMessage(kind: Netlink.Kind.error, flags: 0, sequence: 1, payload: payload).errorCode == code)
    }

    @Test("Several messages in one datagram, and a broken one at the end")
    func datagram() {
        let one = NetlinkMessage(kind: 24, flags: 2, sequence: 5, payload: [1, 2, 3])
        let other = NetlinkMessage(kind: Netlink.Kind.done, flags: 2, sequence: 5, payload: [0, 0, 0, 0])
        let padded = one.encoded + [0]
        #expect(NetlinkMessage.decode(padded + other.encoded) == [one, other])
        #expect(NetlinkMessage.decode(padded + [200, 0, 0, 0] + [UInt8](repeating: 0, count: 12)) == [one])
        #expect(NetlinkMessage.decode([1, 2, 3]) == [])
        #expect(NetlinkMessage.decode([UInt8](repeating: 0, count: 16)) == [])
    }

    @Test("Every byte string can be read without a crash")
    func arbitrary() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0..<80, using: &generator)).map { _ in UInt8.random(in: 0...40, using: &generator) }
            for message in NetlinkMessage.decode(bytes) {
                _ = InterfaceAddress(message)
                _ = KernelRoute(message)
                _ = message.errorCode
            }
            for kind in [Netlink.Kind.newAddress, Netlink.Kind.newRoute, Netlink.Kind.error] {
                let message = NetlinkMessage(kind: kind, flags: 0, sequence: 0, payload: bytes)
                _ = InterfaceAddress(message)
                _ = KernelRoute(message)
                _ = message.errorCode
            }
        }
    }
}

@Suite("Which routes to change")
struct RoutePlanTests {
    private func route(_ block: String, _ gateway: String, protocolNumber: UInt8 = RoutePlan.protocolNumber) throws -> KernelRoute {
        KernelRoute(
            destination: try #require(AddressBlock(block)), gateway: IPAddress(gateway),
            priority: protocolNumber == RoutePlan.protocolNumber ? RoutePlan.priority : 0, protocolNumber: protocolNumber)
    }

    private func wanted(_ block: String, _ gateway: String) throws -> PodRoute {
        PodRoute(pods: try #require(AddressBlock(block)), via: try #require(IPAddress(gateway)))
    }

    @Test("What is missing is added, what is ours and not wanted goes, the rest stays")
    func difference() throws {
        let plan = RoutePlan(
            wanted: [
                try wanted("10.1.1.0/24", "192.0.2.1"), try wanted("10.1.2.0/24", "192.0.2.2"), try wanted("10.1.0.0/24", "192.0.2.9"),
            ],
            ownPods: AddressBlock("10.1.0.0/24"),
            existing: [
                try route("10.1.2.0/24", "192.0.2.2"), try route("10.1.3.0/24", "192.0.2.3"),
                try route("10.9.0.0/24", "192.0.2.3", protocolNumber: 3),
            ])
        #expect(plan.add == [try route("10.1.1.0/24", "192.0.2.1")])
        #expect(plan.remove == [try route("10.1.3.0/24", "192.0.2.3")])
        #expect(plan.conflicts.isEmpty)
    }

    @Test("A node that moved has its route replaced in one step")
    func moved() throws {
        let plan = RoutePlan(
            wanted: [try wanted("10.1.1.0/24", "192.0.2.7")], ownPods: nil, existing: [try route("10.1.1.0/24", "192.0.2.1")])
        #expect(plan.add == [try route("10.1.1.0/24", "192.0.2.7")])
        #expect(plan.remove.isEmpty)
    }

    @Test("Someone else's route is left alone, and said")
    func conflict() throws {
        let plan = RoutePlan(
            wanted: [try wanted("10.1.1.0/24", "192.0.2.7")], ownPods: nil,
            existing: [try route("10.1.1.0/24", "192.0.2.1", protocolNumber: 4), try route("10.1.1.0/24", "192.0.2.7")])
        #expect(plan.add.isEmpty)
        #expect(plan.remove == [try route("10.1.1.0/24", "192.0.2.7")])
        #expect(plan.conflicts == ["10.1.1.0/24 is routed by way of 192.0.2.1 already"])
    }

    @Test("Other tables are not looked at")
    func tables() throws {
        var other = try route("10.1.1.0/24", "192.0.2.1")
        other.table = 100
        let plan = RoutePlan(wanted: [], ownPods: nil, existing: [other])
        #expect(plan.remove.isEmpty)
    }
}
