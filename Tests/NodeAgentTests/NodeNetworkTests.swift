import Glibc
import Logging
import Testing
import Tunnel

@testable import NodeAgent

@Suite("The machine's network, in a namespace of the test's own", .enabled(if: getuid() == 0, "needs root"))
struct NodeNetworkTests {
    private static func setUp() {
        #expect(
            NetworkNamespace.shell(
                "sysctl -q -w net.ipv4.conf.all.arp_ignore=0 && ip link set lo up && ip link add v0 type veth peer name v1 && ip addr add 192.0.2.5/24 dev v0"
            ) == 0)
        #expect(NetworkNamespace.shell("ip link set v0 up && ip link set v1 up") == 0)
    }

    private static func routes(_ routes: (String, String)...) throws -> [PodRoute] {
        try routes.map { PodRoute(pods: try #require(AddressBlock($0.0)), via: try #require(IPAddress($0.1))) }
    }

    @Test("The address comes and goes")
    func address() async throws {
        try await NetworkNamespace.run {
            Self.setUp()
            let network = NodeNetwork()
            let address = try #require(IPAddress("172.20.0.1"))
            #expect(try !network.holds(address))
            try network.addLoopbackAddress(address)
            #expect(try network.holds(address))
            #expect(NetworkNamespace.shell("ip -o addr show dev lo | grep -q '172.20.0.1/32 scope host'") == 0)
            #expect(throws: NetlinkError.self) { try network.addLoopbackAddress(address) }
            try network.removeLoopbackAddress(address)
            try network.removeLoopbackAddress(address)
            #expect(try !network.holds(address))
        }
    }

    @Test("Routes follow what is wanted, and others' stay")
    func routes() async throws {
        try await NetworkNamespace.run {
            Self.setUp()
            #expect(NetworkNamespace.shell("ip route add 10.9.0.0/24 via 192.0.2.99 && ip route add 10.1.4.0/24 via 192.0.2.99") == 0)
            let network = NodeNetwork()
            let own = AddressBlock("10.1.0.0/24")
            let first = try Self.routes(("10.1.0.0/24", "192.0.2.5"), ("10.1.1.0/24", "192.0.2.1"), ("10.1.2.0/24", "192.0.2.2"))
            #expect(try network.apply(routes: first, ownPods: own) == [])
            #expect(NetworkNamespace.shell("test $(ip route show proto 78 | wc -l) = 2") == 0)
            #expect(try network.apply(routes: first, ownPods: own) == [])
            let second = try Self.routes(("10.1.2.0/24", "192.0.2.3"), ("10.1.3.0/24", "203.0.113.1"), ("10.1.4.0/24", "192.0.2.4"))
            let problems = try network.apply(routes: second, ownPods: own)
            #expect(problems.count == 2)
            #expect(problems.contains { $0.hasPrefix("10.1.4.0/24 is routed by way of 192.0.2.99") })
            #expect(problems.contains { $0.hasPrefix("route 10.1.3.0/24 by 203.0.113.1: Network is unreachable") })
            #expect(NetworkNamespace.shell("ip route show proto 78 | grep -q '^10.1.2.0/24 via 192.0.2.3 '") == 0)
            #expect(NetworkNamespace.shell("test $(ip route show proto 78 | wc -l) = 1") == 0)
            try network.removeRoutes()
            #expect(NetworkNamespace.shell("test -z \"$(ip route show proto 78)\"") == 0)
            #expect(NetworkNamespace.shell("test $(ip route show via 192.0.2.99 | wc -l) = 2") == 0)
        }
    }

    @Test("What a run added is taken away, what was there before is not")
    func setup() async throws {
        try await NetworkNamespace.run {
            Self.setUp()
            let directory = "/tmp/nbn-\(UInt32.random(in: 0 ... .max))"
            let text = """
                node-name = n1
                api-address = 172.20.0.1:6443
                api-endpoints = 192.0.2.1:443
                tunnel-endpoints = 192.0.2.1:8132
                ca-file = x
                certificate-file = x
                state-directory = \(directory)/state
                """
            let setup = NodeSetup(configuration: try NodeConfiguration(text: text, path: "c"), logger: Logger(label: "test"))
            let network = setup.network
            let address = try #require(IPAddress("172.20.0.1"))
            let before = try SmallFile.text(NodeNetwork.arpIgnore)
            try setup.prepare()
            try setup.prepare()
            #expect(try network.holds(address))
            #expect(try SmallFile.text(NodeNetwork.arpIgnore) == "3\n")
            _ = try network.apply(routes: try Self.routes(("10.1.1.0/24", "192.0.2.1")), ownPods: nil)
            try setup.cleanUp()
            #expect(try !network.holds(address))
            #expect(try SmallFile.text(NodeNetwork.arpIgnore) == before)
            #expect(NetworkNamespace.shell("test -z \"$(ip route show proto 78)\"") == 0)
            try setup.cleanUp()

            #expect(NetworkNamespace.shell("ip addr add 172.20.0.1/32 dev lo") == 0)
            try setup.prepare()
            try setup.cleanUp()
            #expect(try network.holds(address), "another's address stays")
            #expect(NetworkNamespace.shell("rm -rf \(directory)") == 0)
        }
    }

    @Test("A neighbour gets no answer to ARP for the node-local address")
    func arp() async throws {
        try await NetworkNamespace.run {
            Self.setUp()
            let network = NodeNetwork()
            try network.addLoopbackAddress(try #require(IPAddress("172.20.0.1")))
            // The neighbour is a namespace at the other end of the pair.
            let name = "nbn\(UInt16.random(in: 0 ... .max))"
            #expect(
                NetworkNamespace.shell(
                    "ip netns add \(name) && ip link set v1 netns \(name) && ip -n \(name) addr add 192.0.2.6/24 dev v1 && ip -n \(name) link set v1 up"
                        + " && ip -n \(name) route add 172.20.0.1/32 dev v1") == 0)
            defer { #expect(NetworkNamespace.shell("ip netns del \(name)") == 0) }
            // To connect is to ask for the link-layer address first; nobody listens.
            func ask(_ address: String) -> String {
                "ip netns exec \(name) timeout 1 bash -c 'exec 3<>/dev/tcp/\(address)/9' 2>/dev/null; "
                    + "ip -n \(name) neigh show \(address) | grep -q lladdr"
            }
            #expect(NetworkNamespace.shell(ask("172.20.0.1")) == 0, "without the sysctl Linux answers")
            #expect(try network.silenceARP() == "0")
            #expect(NetworkNamespace.shell("ip -n \(name) neigh flush dev v1; " + ask("172.20.0.1")) != 0)
            #expect(NetworkNamespace.shell(ask("192.0.2.5")) == 0)
        }
    }
}
