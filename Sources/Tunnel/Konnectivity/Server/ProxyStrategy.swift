/// How the agent for a dial is found where no record of nodes says which it is: upstream's strategies, tried in the order that they
/// are listed in.
public enum ProxyStrategy: String, Sendable, CaseIterable {
    /// An agent that names the target's host among its identifiers.
    case destHost
    /// Any agent that says it has a default route.
    case defaultRoute
    /// Any agent.
    case `default`

    /// Reads a comma-separated list; nil when it is empty or has a word in it that is no strategy.
    public static func list(_ text: some StringProtocol) -> [ProxyStrategy]? {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let strategies = words.compactMap { ProxyStrategy(rawValue: String($0)) }
        return strategies.count == words.count ? strategies : nil
    }
}

/// What the strategies look at in an agent's connection.
struct ProxyCandidate: Equatable {
    var agentID: String
    var identifiers: AgentIdentifiers
    var isDraining: Bool
}

extension ProxyStrategy {
    /// The index of the connection that the dial goes to, of those given in the order in which they came; nil if none will do.
    ///
    /// A strategy prefers agents that are not draining, and falls back to one that is before the next strategy is asked.
    static func choose(
        _ strategies: [ProxyStrategy], host: String, among candidates: [ProxyCandidate], using generator: inout some RandomNumberGenerator
    ) -> Int? {
        for strategy in strategies {
            if let index = strategy.choose(host: host, among: candidates, using: &generator) { return index }
        }
        return nil
    }

    private func choose(
        host: String, among candidates: [ProxyCandidate], using generator: inout some RandomNumberGenerator
    ) -> Int? {
        let able: [Int]
        switch self {
        case .destHost:
            able = candidates.indices.filter { candidates[$0].identifiers.name(host) }
            return able.first { !candidates[$0].isDraining } ?? able.first
        case .defaultRoute: able = candidates.indices.filter { candidates[$0].identifiers.defaultRoute }
        case .default: able = Array(candidates.indices)
        }
        let fresh = Self.firstOfEachAgent(able.filter { !candidates[$0].isDraining }, candidates)
        return fresh.randomElement(using: &generator)
            ?? Self.firstOfEachAgent(able, candidates).randomElement(using: &generator)
    }

    /// Of an agent's connections the oldest: upstream's agents close the later ones when they find that they have two.
    private static func firstOfEachAgent(_ indices: [Int], _ candidates: [ProxyCandidate]) -> [Int] {
        var seen: Set<String> = []
        return indices.filter { seen.insert(candidates[$0].agentID).inserted }
    }
}
