import KubernetesAPI
import NestboxAPI

/// Where a tenant's machines and users reach its control plane, as the host has it now.
public struct PublishedEndpoints: Sendable, Equatable {
    /// `host:port` of the API server, most preferred first.
    public var api: [String]
    /// `host:port` of the tunnel.
    public var tunnel: [String]

    public init(api: [String] = [], tunnel: [String] = []) {
        self.api = api
        self.tunnel = tunnel
    }

    /// Whether both can be reached: nothing is rendered for nodes before.
    public var isComplete: Bool { !api.isEmpty && !tunnel.isEmpty }

    /// The hosts of `api`, for its certificate.
    public var apiHosts: [String] {
        api.compactMap { endpoint in endpoint.lastIndex(of: ":").map { String(endpoint[..<$0]) } }
    }

    /// Read from the two Services, and for NodePort without `publish.addresses` from the host's nodes.
    public init(publish: PublishSpec?, apiService: Service?, tunnelService: Service?, hostNodes: [Node]) {
        api = Self.endpoints(of: apiService, publish: publish, hostNodes: hostNodes)
        tunnel = Self.endpoints(of: tunnelService, publish: publish, hostNodes: hostNodes)
    }

    /// What is behind each address that it is published at by NodePort.
    ///
    /// - Parameters:
    ///   - replicas: names of the nodes with a replica.
    ///   - serving: of those with one that serves.
    public static func addresses(
        _ publish: PublishSpec?, hostNodes: [Node], replicas: Set<String>, serving: Set<String>
    ) -> [PublishedAddress] {
        let owned = hostNodes.flatMap { node in (node.status?.addresses ?? []).map { ($0.address, node) } }
        let owners = Dictionary(owned) { first, _ in first }
        return addresses(publish, hostNodes).map { address in
            guard let owner = owners[address] else { return .unserved }
            if serving.contains(owner.name) { return .served }
            return replicas.contains(owner.name) || !owner.isReady ? .interrupted : .unserved
        }
    }

    private static func endpoints(of service: Service?, publish: PublishSpec?, hostNodes: [Node]) -> [String] {
        guard let service, let port = service.spec?.ports?.first else { return [] }
        if publish?.type == "LoadBalancer" {
            let ingress = service.status?.loadBalancer?.ingress ?? []
            return ingress.compactMap { $0.ip ?? $0.hostname }.map { "\($0):\(port.port)" }
        }
        guard let nodePort = port.nodePort, nodePort > 0 else { return [] }
        return addresses(publish, hostNodes).map { "\($0):\(nodePort)" }
    }

    private static func addresses(_ publish: PublishSpec?, _ hostNodes: [Node]) -> [String] {
        let given = publish?.addresses ?? []
        return given.isEmpty ? addresses(of: hostNodes) : given
    }

    /// One IPv4 address a node, an external one if it has any. All nodes, ready or not, sorted by name: a node that reboots must not
    /// change every certificate and every machine's configuration.
    private static func addresses(of nodes: [Node]) -> [String] {
        nodes.sorted { $0.name < $1.name }.compactMap { node in
            let addresses = (node.status?.addresses ?? []).filter { IPv4Address($0.address) != nil }
            return (addresses.first { $0.type == "ExternalIP" } ?? addresses.first { $0.type == "InternalIP" })?.address
        }
    }
}
