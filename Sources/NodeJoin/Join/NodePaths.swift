/// Where everything lies on a worker machine.
enum NodePaths {
    static let programs = "/opt/nestbox/bin"
    static let root = "/opt/nestbox"
    static let configuration = "/etc/nestbox"
    static let claim = "/etc/nestbox/claim"
    static let containerdSocket = "/run/nestbox/containerd/containerd.sock"
    static let kubeletState = "/var/lib/kubelet"
    static let searchPath = "/opt/nestbox/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}
