import KubernetesAPI
import Testing

@testable import Operator

@Suite("Whether the tunnel reaches a tenant's nodes")
struct TunnelConnectedTests {
    static let nodes = ["a", "b", "c"]

    private func report(_ missing: String) -> Lease {
        Lease(metadata: ObjectMeta(name: "x", annotations: [TunnelConnected.missingAnnotation: missing]))
    }

    @Test(
        "A node is reached when any server holds its agent",
        arguments: [
            ([""], nodes, true, "AgentsConnected"),
            (["a,b,c"], [], true, "NoNodes"),
            (["a", "b", "c"], nodes, true, "AgentsConnected"),
            (["a,b,c", ""], nodes, true, "AgentsConnected"),
            (["a,b", "b,c"], nodes, false, "AgentsMissing"),
            // Of the record, and not joined yet.
            (["d"], nodes, true, "AgentsConnected"),
        ])
    func anyServer(missing: [String], nodes: [String], isTrue: Bool, reason: String) throws {
        let found = try #require(TunnelConnected(reports: missing.map(report), joinedNodes: nodes))
        #expect(found.isTrue == isTrue)
        #expect(found.reason == reason)
    }

    @Test func whoIsMissingIsNamedAndAFewStandForMany() throws {
        let one = try #require(TunnelConnected(reports: [report("b")], joinedNodes: Self.nodes))
        #expect(one.message.hasPrefix("no tunnel to 1 of 3 nodes, so no logs, exec or webhooks there: b;"))
        let names = (10..<18).map { "n\($0)" }
        let many = try #require(TunnelConnected(reports: [report(names.joined(separator: ","))], joinedNodes: names))
        #expect(many.message.contains(": n10, n11, n12, n13, n14 and 3 more;"))
    }

    @Test func nothingIsSaidBeforeAServerHasSpoken() {
        #expect(TunnelConnected(reports: [], joinedNodes: Self.nodes) == nil)
    }
}
