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
        let settings = NodeSettings(nodeName: parameters.nodeName, network: parameters.network, endpoints: parameters.endpoints)
        return [
            TextFile("\(NodePaths.configuration)/ca.crt", parameters.certificateAuthority),
            TextFile("\(NodePaths.configuration)/node.conf", settings.text),
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
