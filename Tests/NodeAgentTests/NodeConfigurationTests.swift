import Testing
import Tunnel

@testable import NodeAgent

@Suite("node.conf")
struct NodeConfigurationTests {
    private static let full = """
        # made by the join
        node-name = worker-1
        api-address = 172.20.0.1:6443
        api-endpoints = 192.0.2.1:30443, 192.0.2.2:30443
        tunnel-endpoints = 192.0.2.1:30132
        tunnel-server-name = nestbox-tunnel
        ca-file = /etc/nestbox/ca.crt
        certificate-file = /var/lib/kubelet/pki/kubelet-client-current.pem
        state-directory = /var/lib/nestbox-node
        pod-routes = on
        pod-cidr = 10.244.1.0/24
        later = something
        """

    @Test("Everything that the join writes is read")
    func full() throws {
        let configuration = try NodeConfiguration(text: Self.full, path: "node.conf")
        #expect(configuration.nodeName == "worker-1")
        #expect(configuration.apiAddress.description == "172.20.0.1:6443")
        #expect(configuration.apiEndpoints.map(\.description) == ["192.0.2.1:30443", "192.0.2.2:30443"])
        #expect(configuration.tunnelEndpoints.map(\.description) == ["192.0.2.1:30132"])
        #expect(configuration.tls.certificate == configuration.tls.key)
        #expect(configuration.podRoutes)
        #expect(configuration.podCIDR == AddressBlock("10.244.1.0/24"))
        #expect(configuration.unknownKeys == ["later"])
    }

    @Test("What may be left out", arguments: ["tunnel-server-name", "state-directory", "pod-routes", "pod-cidr"])
    func defaults(key: String) throws {
        let text = Self.full.split(separator: "\n").filter { !$0.hasPrefix(key) }.joined(separator: "\n")
        let configuration = try NodeConfiguration(text: text, path: "node.conf")
        #expect(configuration.tunnelServerName == "nestbox-tunnel")
        #expect(configuration.stateDirectory == "/var/lib/nestbox-node")
        if key == "pod-routes" { #expect(!configuration.podRoutes) }
        if key == "pod-cidr" { #expect(configuration.podCIDR == nil) }
    }

    @Test(
        "An error names the file, the line and what is wanted",
        arguments: [
            ("node-name = x\nnonsense", "c:2: not \"key = value\""),
            ("node-name = x\nnode-name = y", "c:2: node-name stands in line 1 already"),
            ("api-address = 172.20.0.1:6443", "c: node-name is missing"),
            ("node-name = x\n\napi-address = somewhere:6443", "c:3: api-address = somewhere:6443: want HOST:PORT with an IPv4 address"),
            ("node-name = x\napi-address = 1.2.3.4:1\napi-endpoints = y", "c:3: api-endpoints = y: want HOST:PORT[,HOST:PORT...]"),
            ("node-name =", "c: node-name is empty"),
        ])
    func errors(text: String, message: String) {
        #expect(throws: ConfigurationError(description: message)) { try NodeConfiguration(text: text, path: "c") }
    }

    @Test(
        "Arguments",
        arguments: [
            (["run", "--config", "f"], NodeCommand.run(configuration: "f")), (["cleanup", "--config", "f"], .cleanup(configuration: "f")),
            (["version"], .version), (["run"], nil), ([], nil), (["run", "--config"], nil), (["run", "f", "--config"], nil),
            (["version", "x"], nil),
        ])
    func arguments(words: [String], command: NodeCommand?) { #expect(NodeCommand(arguments: words) == command) }

    @Test("A state without endpoints does not cut the node off")
    func merge() throws {
        let known = NodeState(
            apiEndpoints: try #require(Endpoint.list("a:1")), tunnelEndpoints: try #require(Endpoint.list("b:2")),
            routes: [PodRoute(pods: try #require(AddressBlock("10.0.0.0/24")), via: try #require(IPAddress("192.0.2.1")))])
        let merged = NodeStateKeeper.merge(NodeState(apiEndpoints: try #require(Endpoint.list("c:3"))), over: known)
        #expect(merged.apiEndpoints.map(\.description) == ["c:3"])
        #expect(merged.tunnelEndpoints.map(\.description) == ["b:2"])
        #expect(merged.routes.isEmpty)
    }
}
