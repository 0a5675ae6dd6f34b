import KubernetesAPI
import TestTunnel
import Testing
import Tunnel

@testable import TunnelService

@Suite("What a tunnel server says of its agents")
struct AgentReportTests {
    @Test func theNodesOfTheRecordThatHaveNoAgentHere() throws {
        let record = ClusterRecord(
            nodes: ["c", "a", "b"].enumerated().map { number, name in NodeRecord(name: name, addresses: [IPAddress("10.0.0.\(number)")!]) },
            endpoints: nil)
        let report = AgentReport(record: record, connected: ["b": [], "stranger": []])
        #expect(report.missing == ["a", "c"])
        let lease = report.lease(of: "pod-1", namespace: "nestbox-system")
        #expect(lease.name == "tunnel-agents-pod-1")
        #expect(lease.metadata.labels == ["nestbox.dev/tunnel-agents": "true"])
        #expect(lease.metadata.annotations == ["nestbox.dev/nodes-without-agent": "a,c"])
    }

    @Test func whoHasNotConfirmedWhereTheControlPlaneIsPublished() throws {
        func endpoints(_ api: String) throws -> PublishedEndpoints {
            PublishedEndpoints(api: try #require(Endpoint.list(api)), tunnel: try #require(Endpoint.list("192.0.2.1:30132")))
        }
        let (old, new) = (try endpoints("192.0.2.1:30443"), try endpoints("192.0.2.2:30443,192.0.2.1:30443"))
        let record = ClusterRecord(nodes: [], endpoints: new)
        let report = AgentReport(record: record, connected: ["c": [], "a": [old], "b": [old, new]])
        let annotations = report.lease(of: "pod-1", namespace: "nestbox-system").metadata.annotations
        #expect(annotations?["nestbox.dev/endpoints"] == "192.0.2.2:30443,192.0.2.1:30443 192.0.2.1:30132")
        #expect(annotations?["nestbox.dev/nodes-unconfirmed"] == "a,c")
    }
}
