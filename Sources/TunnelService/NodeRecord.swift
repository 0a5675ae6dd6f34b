import Tunnel

/// What the operator wrote down of a node when it let it in.
public struct NodeRecord: Hashable, Sendable {
    public var name: String
    public var addresses: [IPAddress]
    public var podCIDR: AddressBlock?
    /// Certificates that start earlier are refused: they were another machine's, or are replayed. Seconds since 1970.
    public var notBefore: Int64?

    public init(name: String, addresses: [IPAddress], podCIDR: AddressBlock? = nil, notBefore: Int64? = nil) {
        self.name = name
        self.addresses = addresses
        self.podCIDR = podCIDR
        self.notBefore = notBefore
    }
}

/// Where the control plane is published.
public struct PublishedEndpoints: Hashable, Sendable {
    public var api: [Endpoint]
    public var tunnel: [Endpoint]

    public init(api: [Endpoint], tunnel: [Endpoint]) {
        self.api = api
        self.tunnel = tunnel
    }
}

/// The whole record, and the answers it gives.
public struct ClusterRecord: Equatable, Sendable {
    public let nodes: [NodeRecord]
    public let endpoints: PublishedEndpoints?
    /// Nodes whose address or pods another node owns already: they get neither.
    public let conflicts: [String]
    private let byName: [String: NodeRecord]
    private let byAddress: [IPAddress: String]
    private let pods: [(block: AddressBlock, node: String)]

    public init(nodes: [NodeRecord], endpoints: PublishedEndpoints?) {
        // The operator refuses overlaps when it writes; should one be there all the same, names decide, so that every server of a
        // control plane decides alike.
        let nodes = nodes.sorted { $0.name < $1.name }
        var conflicts: [String] = []
        var byAddress: [IPAddress: String] = [:]
        var pods: [(AddressBlock, String)] = []
        for node in nodes {
            for address in node.addresses {
                if let owner = byAddress[address] {
                    conflicts.append("address \(address) of node \(node.name) is node \(owner)'s")
                } else {
                    byAddress[address] = node.name
                }
            }
            guard let block = node.podCIDR else { continue }
            if let owner = pods.first(where: { $0.0.overlaps(block) }) {
                conflicts.append("pod CIDR \(block) of node \(node.name) overlaps node \(owner.1)'s \(owner.0)")
            } else {
                pods.append((block, node.name))
            }
        }
        self.nodes = nodes
        self.endpoints = endpoints
        self.conflicts = conflicts
        self.byAddress = byAddress
        self.pods = pods.map { (block: $0.0, node: $0.1) }
        byName = Dictionary(nodes.map { ($0.name, $0) }) { first, _ in first }
    }

    public static func == (left: Self, right: Self) -> Bool { left.nodes == right.nodes && left.endpoints == right.endpoints }

    public func admission(of identity: AgentIdentity) -> Admission {
        guard let node = byName[identity.node] else { return .refused("node \(identity.node) is not in the cluster's record") }
        if let notBefore = node.notBefore, identity.notBefore < notBefore {
            return .refused("the certificate of node \(identity.node) is older than the node's entry in the cluster's record")
        }
        return .admitted
    }

    public func route(to host: String) -> Route {
        guard let address = IPAddress(host) else { return byName[host].map { .node($0.name) } ?? .anyNode }
        if let node = byAddress[address] { return .node(node) }
        if let owner = pods.first(where: { $0.block.contains(address) }) { return .node(owner.node) }
        return .anyNode
    }

    /// Nil while it is not known where the control plane is published.
    public func state(for node: String) -> NodeState? {
        guard let endpoints, byName[node] != nil else { return nil }
        let routes = pods.compactMap { pods -> PodRoute? in
            guard pods.node != node, let via = byName[pods.node]?.addresses.first(where: { $0.isIPv4 == pods.block.network.isIPv4 })
            else { return nil }
            return PodRoute(pods: pods.block, via: via)
        }
        return NodeState(apiEndpoints: endpoints.api, tunnelEndpoints: endpoints.tunnel, routes: routes)
    }
}
