import NestboxAPI
import Testing

@Suite struct IPv4Tests {
    @Test(arguments: ["0.0.0.0", "10.244.0.1", "255.255.255.255"]) func addressesComeOutAsTheyWentIn(text: String) {
        #expect(IPv4Address(text)?.description == text)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.-4", "1.2.3.+4", " 1.2.3.4", "1..3.4", "a.b.c.d", "1.2.3.٤",
    ])
    func refusesWhatIsNoAddress(text: String) {
        #expect(IPv4Address(text) == nil)
    }

    @Test(arguments: ["10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.1/8", "/8", "10.0.0.0/8/8"])
    func refusesWhatIsNoNetwork(text: String) {
        #expect(IPv4Network(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.244.0.0/16", true), ("10.244.0.0/16", "10.0.0.0/8", true), ("10.0.0.0/9", "10.128.0.0/9", false),
        ("0.0.0.0/0", "1.2.3.4/32", true), ("1.2.3.4/32", "1.2.3.5/32", false),
    ])
    func overlaps(one: String, other: String, overlap: Bool) throws {
        let (one, other) = (try #require(IPv4Network(one)), try #require(IPv4Network(other)))
        #expect(one.overlaps(other) == overlap && other.overlaps(one) == overlap)
    }

    @Test func subnetsAreHandedOutInOrderAndEnd() throws {
        let network = try #require(IPv4Network("10.244.0.0/22"))
        let parts = (0..<5).map { network.subnet(at: $0, prefixLength: 24)?.description }
        #expect(parts == ["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24", "10.244.3.0/24", nil])
        #expect(network.subnet(at: -1, prefixLength: 24) == nil && network.subnet(at: 0, prefixLength: 21) == nil)
        #expect(network.address(at: 1)?.description == "10.244.0.1" && network.address(at: 1024) == nil && network.address(at: -1) == nil)
    }

    /// At the end of all addresses nothing wraps around.
    @Test func theLastNetworkHasAnEnd() throws {
        let network = try #require(IPv4Network("255.255.255.0/24"))
        #expect(network.address(at: 255)?.description == "255.255.255.255" && network.address(at: 256) == nil)
        #expect(network.subnet(at: 1, prefixLength: 25)?.description == "255.255.255.128/25")
        #expect(IPv4Network("0.0.0.0/0")?.contains(IPv4Address(bits: .max)) == true)
    }
}
