import Testing

@testable import Tunnel

@Suite("What upstream's agents say of themselves, and who is chosen by it")
struct AgentIdentifiersTests {
    @Test("A query is read as Go reads it")
    func query() throws {
        let identifiers = try AgentIdentifiers(
            query: "host=localhost&host=node1.my%2Edomain&cidr=127.0.0.1/16&ipv4=1.2.3.4&ipv4=5.6.7.8&ipv6=fd00::1&default-route=true&x=y+z"
        )
        #expect(identifiers.host == ["localhost", "node1.my.domain"])
        #expect(identifiers.cidr == ["127.0.0.1/16"])
        #expect(identifiers.ipv4 == ["1.2.3.4", "5.6.7.8"])
        #expect(identifiers.ipv6 == ["fd00::1"])
        #expect(identifiers.defaultRoute)
        #expect(identifiers.unknown == ["x"])
        #expect(try AgentIdentifiers(query: "") == AgentIdentifiers())
        #expect(try AgentIdentifiers(query: "&&ipv4").ipv4 == [""])
    }

    @Test("The first default-route counts, in Go's words for true")
    func defaultRoute() throws {
        #expect(try AgentIdentifiers(query: "default-route=T&default-route=false").defaultRoute)
        #expect(try !AgentIdentifiers(query: "default-route=yes").defaultRoute)
        #expect(try !AgentIdentifiers(query: "default-route=0&default-route=1").defaultRoute)
    }

    @Test(
        "What is no query, or endless, is refused", arguments: ["host=%", "host=%4", "ho%gg=a", "a;b", String(repeating: "a&", count: 300)])
    func malformed(query: String) { #expect(throws: AgentIdentifiers.Malformed.self) { _ = try AgentIdentifiers(query: query) } }

    @Test("Strategies are read from upstream's flag")
    func list() {
        #expect(ProxyStrategy.list("destHost,defaultRoute,default") == [.destHost, .defaultRoute, .default])
        #expect(ProxyStrategy.list("default") == [.default])
        #expect(ProxyStrategy.list("") == nil)
        #expect(ProxyStrategy.list("default,nearest") == nil)
    }

    private func candidate(_ id: String, _ query: String = "", draining: Bool = false) throws -> ProxyCandidate {
        ProxyCandidate(agentID: id, identifiers: try AgentIdentifiers(query: query), isDraining: draining)
    }

    /// All that may be chosen.
    private func choices(_ strategies: [ProxyStrategy], _ host: String, _ candidates: [ProxyCandidate]) -> Set<Int> {
        var generator = SeededGenerator(state: 1)
        return Set((0..<200).compactMap { _ in ProxyStrategy.choose(strategies, host: host, among: candidates, using: &generator) })
    }

    @Test("destHost takes the agent that names the host; the next strategy is asked when there is none")
    func destHost() throws {
        let agents = [
            try candidate("a", "ipv4=10.0.0.1&host=n1"), try candidate("b", "ipv6=fd00::2"), try candidate("c", "default-route=true"),
        ]
        #expect(choices([.destHost], "10.0.0.1", agents) == [0])
        #expect(choices([.destHost], "n1", agents) == [0])
        #expect(choices([.destHost], "fd00:0:0::2", agents) == [1])
        #expect(choices([.destHost], "10.0.0.9", agents) == [])
        #expect(choices([.destHost, .defaultRoute], "10.0.0.9", agents) == [2])
        #expect(choices([.destHost, .default], "10.0.0.9", agents) == [0, 1, 2])
        #expect(choices([.default], "10.0.0.1", []) == [])
    }

    @Test("Agents that drain come last, and before the next strategy")
    func draining() throws {
        let agents = [
            try candidate("a", "host=n1", draining: true), try candidate("a", "host=n1"), try candidate("b", "host=n2", draining: true),
        ]
        #expect(choices([.destHost, .default], "n1", agents) == [1])
        #expect(choices([.destHost, .default], "n2", agents) == [2])
        #expect(choices([.default], "x", agents) == [1])
        #expect(choices([.default], "x", [agents[0], agents[2]]) == [0, 1])
    }

    @Test("Of an agent's connections the oldest is taken")
    func duplicates() throws {
        let agents = [try candidate("a"), try candidate("a"), try candidate("b")]
        #expect(choices([.default], "x", agents) == [0, 2])
    }
}
