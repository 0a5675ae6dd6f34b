/// What a node needs to know of the rest of its cluster, and cannot ask for itself.
public struct NodeState: Hashable, Sendable {
    /// Where the tenant's API server is published.
    public var apiEndpoints: [Endpoint]
    /// Where tunnel servers are published.
    public var tunnelEndpoints: [Endpoint]
    /// The other nodes' pods.
    public var routes: [PodRoute]

    public init(apiEndpoints: [Endpoint] = [], tunnelEndpoints: [Endpoint] = [], routes: [PodRoute] = []) {
        self.apiEndpoints = apiEndpoints
        self.tunnelEndpoints = tunnelEndpoints
        self.routes = routes
    }
}

/// The pods of another node, and the node that forwards to them.
public struct PodRoute: Hashable, Sendable {
    public var pods: AddressBlock
    public var via: IPAddress

    public init(pods: AddressBlock, via: IPAddress) {
        self.pods = pods
        self.via = via
    }
}
