/// What kube-apiserver speaks with the tunnel: `proxyProtocol` of its EgressSelectorConfiguration.
public enum FrontProtocol: String, Sendable {
    case httpConnect = "http-connect"
    case grpc
}

/// How a server serves upstream's agents.
public struct KonnectivityServing: Sendable {
    /// How many servers there are, as agents are told; nil for this one and its peers.
    public var serverCount: Int?
    /// How an agent is found where no record of nodes says which: by what the agents say of themselves. Nil where there is a record.
    public var strategies: [ProxyStrategy]?
    /// Who is asked about agents' tokens. Agents then show tokens and no certificates.
    public var reviewer: (any AgentTokenReviewer)?

    public init(serverCount: Int? = nil, strategies: [ProxyStrategy]? = nil, reviewer: (any AgentTokenReviewer)? = nil) {
        self.serverCount = serverCount
        self.strategies = strategies
        self.reviewer = reviewer
    }
}
