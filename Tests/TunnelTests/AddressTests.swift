import Testing
import Tunnel

@Suite("Addresses, blocks and endpoints")
struct AddressTests {
    @Test(
        "Endpoints",
        arguments: [
            ("10.0.0.1:443", "10.0.0.1", 443), ("[fd00::1]:10250", "fd00::1", 10250), ("[FD00:0:0::1]:1", "fd00::1", 1),
            ("name.example:65535", "name.example", 65535), ("a_b.example.:80", "a_b.example.", 80),
            ("[::ffff:10.0.0.1]:80", "10.0.0.1", 80),
        ])
    func endpoint(text: String, host: String, port: Int) throws {
        let endpoint = try #require(Endpoint(text))
        #expect(endpoint.host == host)
        #expect(endpoint.port == port)
        #expect(Endpoint(endpoint.description) == endpoint)
    }

    @Test(
        "What is no endpoint",
        arguments: [
            "", ":", "10.0.0.1", "10.0.0.1:", ":80", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:-1", "10.0.0.1:8 0", "10.0.0.1:+80",
            "fd00::1:80", "[fd00::1]", "[fd00::1:80", "[10.0.0.1]:80", "na me:80", "name..example:80", ".:80", "nam\u{e9}:80", "a/b:80",
            "user@host:80", "[fe80::1%eth0]:80", "host:99999999999999999999",
            "10.0.0.1\u{0}:80", "10.0.0.1\u{0}x:80", "[fd00::1\u{0}]:80",
        ])
    func noEndpoint(text: String) { #expect(Endpoint(text) == nil) }

    @Test func endpointLists() {
        #expect(Endpoint.list("10.0.0.1:1, 10.0.0.2:2")?.map(\.description) == ["10.0.0.1:1", "10.0.0.2:2"])
        #expect(Endpoint.list("") == [])
        #expect(Endpoint.list("10.0.0.1:1,x") == nil)
    }

    @Test("Blocks")
    func blocks() throws {
        let block = try #require(AddressBlock("10.244.1.0/24"))
        #expect(block.contains(try #require(IPAddress("10.244.1.255"))))
        #expect(!block.contains(try #require(IPAddress("10.244.2.0"))))
        #expect(!block.contains(try #require(IPAddress("fd00::1"))))
        #expect(block.contains(try #require(IPAddress("::ffff:10.244.1.7"))))
        #expect(try #require(AddressBlock("0.0.0.0/0")).contains(try #require(IPAddress("1.2.3.4"))))
        #expect(try #require(AddressBlock("fd00::/9")).contains(try #require(IPAddress("fd7f::1"))))
        for text in ["10.0.0.1/24", "10.0.0.0/33", "10.0.0.0", "10.0.0.0/", "10.0.0.0/-1", "x/8", "fd00::/129", "10.0.0.0/8/8"] {
            #expect(AddressBlock(text) == nil, "\(text)")
        }
        #expect(try #require(AddressBlock("10.0.0.0/8")).overlaps(block))
        #expect(block.overlaps(try #require(AddressBlock("10.0.0.0/8"))))
        #expect(!block.overlaps(try #require(AddressBlock("10.244.2.0/23"))))
    }

    @Test(
        "What an agent does not dial",
        arguments: [
            ("127.0.0.1", true), ("127.255.0.1", true), ("::1", true), ("::ffff:127.0.0.1", true), ("169.254.169.254", true),
            ("fe80::1", true), ("fd00:ec2::254", true), ("100.100.100.200", true), ("168.63.129.16", true), ("0.0.0.0", true), ("::", true),
            ("224.0.0.1", true), ("255.255.255.255", true), ("ff02::1", true), ("172.20.0.1", true), ("172.20.0.2", false),
            ("10.0.0.1", false), ("192.168.0.1", false), ("8.8.8.8", false), ("fd00::1", false),
        ])
    func policy(text: String, refused: Bool) throws {
        let policy = DialPolicy(nodeLocal: [try #require(IPAddress("172.20.0.1"))])
        #expect((policy.refusal(of: try #require(IPAddress(text))) != nil) == refused)
        let open = DialPolicy(allowed: [try #require(AddressBlock("0.0.0.0/0")), try #require(AddressBlock("::/0"))])
        #expect(open.refusal(of: try #require(IPAddress(text))) == nil)
    }
}
