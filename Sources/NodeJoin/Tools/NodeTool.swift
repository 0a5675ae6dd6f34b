/// What a node needs beside Kubernetes' own programs and ours.
public enum NodeTool: String, CaseIterable, Sendable {
    case containerd, runc, cni, iptables, conntrack, socat, ethtool

    /// The programs it is made of, all of which must be there. The first one says the version.
    var programs: [String] {
        switch self {
        case .containerd: ["containerd", "containerd-shim-runc-v2", "ctr"]
        case .cni: []
        case .iptables: ["iptables", "ip6tables"].flatMap { [$0, "\($0)-save", "\($0)-restore"] }
        case .runc, .conntrack, .socat, .ethtool: [rawValue]
        }
    }

    /// The CNI plugins that the built-in pod network and every sandbox need.
    static let networkPlugins = ["bridge", "host-local", "loopback", "portmap"]

    /// Where a machine keeps plugins of its own.
    static let networkPluginFolders = ["/opt/cni/bin", "/usr/lib/cni"]

    /// Debian's package.
    var package: String { self == .cni ? "containernetworking-plugins" : rawValue }
}
