/// Where everything lies on a worker machine.
enum NodePaths {
    static let programs = "/opt/nestbox/bin"
    static let root = "/opt/nestbox"
    static let configuration = "/etc/nestbox"
    static let claim = "/etc/nestbox/claim"
    static let containerdSocket = "/run/nestbox/containerd/containerd.sock"
    /// A part of the folder for which machines have a disk of its own, often; the rest may be a containerd's of theirs.
    static let containerdState = "/var/lib/containerd/nestbox"
    static let kubeletState = "/var/lib/kubelet"
    static let searchPath = "/opt/nestbox/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}
