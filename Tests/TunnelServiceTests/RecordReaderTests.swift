import KubernetesAPI
import Testing
import Tunnel

@testable import TunnelService

@Suite("The operator's record")
struct RecordReaderTests {
    private func map(_ name: String, _ record: String, _ data: [String: String]) -> ConfigMap {
        ConfigMap(metadata: ObjectMeta(name: name, namespace: "nestbox-system", labels: ["nestbox.dev/record": record]), data: data)
    }

    private func record() throws -> ClusterRecord {
        let (record, problems) = RecordReader.read([
            map("n1", "node", ["addresses": "192.0.2.1,fd00::1", "podCIDR": "10.1.0.0/24", "notBefore": "2026-01-01T00:00:00Z"]),
            map("n2", "node", ["addresses": "192.0.2.2", "podCIDR": "10.1.1.0/24"]),
            map("api-endpoints", "endpoints", ["api": "198.51.100.1:30443,198.51.100.2:30443", "tunnel": "198.51.100.1:30132"]),
            map("other", "something-later", [:]),
        ])
        #expect(problems.isEmpty)
        return record
    }

    @Test("Hosts belong to the node that owns them, all others to any")
    func routes() throws {
        let record = try record()
        let cases: [(String, Route)] = [
            ("192.0.2.1", .node("n1")), ("fd00::1", .node("n1")), ("::ffff:192.0.2.1", .node("n1")), ("10.1.0.7", .node("n1")),
            ("10.1.1.255", .node("n2")), ("n2", .node("n2")), ("10.1.2.1", .anyNode), ("10.96.0.1", .anyNode),
            ("webhook.example", .anyNode), ("192.0.2.3", .anyNode),
        ]
        for (host, route) in cases { #expect(record.route(to: host) == route, "\(host)") }
    }

    @Test("An agent is admitted by the record alone")
    func admission() throws {
        let record = try record()
        let start: Int64 = 1_767_225_600
        #expect(record.admission(of: AgentIdentity(node: "n1", notBefore: start, notAfter: .max)) == .admitted)
        #expect(record.admission(of: AgentIdentity(node: "n2", notBefore: 0, notAfter: .max)) == .admitted)
        guard case .refused = record.admission(of: AgentIdentity(node: "n1", notBefore: start - 1, notAfter: .max)) else {
            Issue.record("a certificate older than the record was admitted")
            return
        }
        guard case .refused = record.admission(of: AgentIdentity(node: "n3", notBefore: start, notAfter: .max)) else {
            Issue.record("a node that is not in the record was admitted")
            return
        }
    }

    @Test("A node is told the endpoints and the other nodes' pods")
    func state() throws {
        let record = try record()
        let state = try #require(record.state(for: "n2"))
        #expect(state.apiEndpoints.map(\.description) == ["198.51.100.1:30443", "198.51.100.2:30443"])
        #expect(state.tunnelEndpoints.map(\.description) == ["198.51.100.1:30132"])
        #expect(state.routes == [PodRoute(pods: try block("10.1.0.0/24"), via: try ip("192.0.2.1"))])
        #expect(record.state(for: "n3") == nil)
    }

    @Test("What cannot be read lets no node in, and is said")
    func faults() throws {
        let (record, problems) = RecordReader.read([
            map("a", "node", ["addresses": ""]), map("b", "node", ["addresses": "192.0.2.9,nonsense"]),
            map("c", "node", ["addresses": "192.0.2.10", "notBefore": "yesterday"]),
            map("d", "node", ["addresses": "192.0.2.11", "podCIDR": "10.0.0.1/24"]),
            map("api-endpoints", "endpoints", ["api": "nowhere"]),
        ])
        #expect(record.nodes.isEmpty)
        #expect(record.endpoints == nil)
        #expect(problems.count == 5)
    }

    @Test("Of two nodes that claim an address or pods, one keeps them")
    func conflicts() throws {
        let record = ClusterRecord(
            nodes: [
                NodeRecord(name: "b", addresses: [try ip("192.0.2.1")], podCIDR: try block("10.1.0.0/25")),
                NodeRecord(name: "a", addresses: [try ip("192.0.2.1")], podCIDR: try block("10.1.0.0/24")),
            ], endpoints: nil)
        #expect(record.route(to: "192.0.2.1") == .node("a"))
        #expect(record.route(to: "10.1.0.1") == .node("a"))
        #expect(record.conflicts.count == 2)
    }

    @Test("Until the record is read, agents wait and dials are refused")
    func unread() {
        let directory = RecordDirectory()
        #expect(directory.admission(of: AgentIdentity(node: "n", notBefore: 0, notAfter: 1)) == .undecided)
        guard case .refused = directory.route(to: "192.0.2.1") else {
            Issue.record("routed without a record")
            return
        }
        #expect(directory.update(ClusterRecord(nodes: [], endpoints: nil)))
        #expect(!directory.update(ClusterRecord(nodes: [], endpoints: nil)))
    }
}
