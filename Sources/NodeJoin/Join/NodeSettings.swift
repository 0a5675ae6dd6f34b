/// What `nestbox-node` is told of its node and cluster: `node.conf`.
public struct NodeSettings: Sendable {
    private let nodeName: String
    private let network: JoinNetwork
    private let endpoints: JoinEndpoints

    public init(nodeName: String, network: JoinNetwork, endpoints: JoinEndpoints) {
        self.nodeName = nodeName
        self.network = network
        self.endpoints = endpoints
    }

    public var text: String {
        let settings = [
            ("node-name", nodeName),
            ("api-address", "\(network.nodeLocalAPIAddress):\(network.apiPort)"),
            ("api-endpoints", endpoints.api.joined(separator: ",")),
            ("tunnel-endpoints", endpoints.tunnel.joined(separator: ",")),
            ("tunnel-server-name", endpoints.tunnelServerName),
            ("ca-file", "\(NodePaths.configuration)/ca.crt"),
            ("certificate-file", "\(NodePaths.kubeletState)/pki/kubelet-client-current.pem"),
            ("state-directory", "/var/lib/nestbox-node"),
            ("pod-routes", network.bridge ? "on" : "off"),
            ("pod-cidr", network.podCIDR),
        ]
        return settings.map { "\($0) = \($1)" }.joined(separator: "\n")
    }
}
