import Crypto
import HexDigest

/// `nestbox-node`: started before the kubelet, whose bootstrap goes through it.
enum NodeService {
    private static let unit = SystemdUnit(
        "nestbox-node.service",
        """
        [Unit]
        Description=Nestbox node agent: the way to the API server, and back
        After=network.target
        Before=nestbox-kubelet.service
        StartLimitIntervalSec=0

        [Service]
        Environment=PATH=\(NodePaths.searchPath)
        ExecStart=\(NodePaths.programs)/nestbox-node run --config \(NodePaths.configuration)/node.conf
        Restart=always
        RestartSec=1
        LimitNOFILE=1048576

        [Install]
        WantedBy=multi-user.target
        """)

    private static func files(_ parameters: JoinParameters) -> [TextFile] {
        let (network, endpoints) = (parameters.network, parameters.endpoints)
        let settings = [
            ("node-name", parameters.nodeName),
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
        return [
            TextFile("\(NodePaths.configuration)/ca.crt", parameters.certificateAuthority),
            TextFile("\(NodePaths.configuration)/node.conf", settings.map { "\($0) = \($1)" }.joined(separator: "\n")),
            unit.file,
        ]
    }

    static func component(_ parameters: JoinParameters) -> NodeComponent {
        let files = files(parameters)
        return NodeComponent(
            unit: unit, configure: files.putAll + "mkdir -p -m 700 /var/lib/nestbox-node",
            fingerprint: SHA256.hexDigest(of: files.fingerprint + parameters.artifacts.nestboxNode.sha256))
    }
}
