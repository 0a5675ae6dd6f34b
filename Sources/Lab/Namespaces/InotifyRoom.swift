/// Whether the kernel lets so many machines be nodes at once: all of this computer's root share one number of inotify instances, and a
/// kubelet that gets none does not start.
enum InotifyRoom {
    static let setting = "fs.inotify.max_user_instances"
    static let path = "/proc/sys/fs/inotify/max_user_instances"
    /// Of a machine that is a node: systemd, dbus, logind, containerd, kubelet, kube-proxy.
    private static let machine = 13
    /// Of the host's Kubernetes.
    private static let host = 12

    /// What is said when it does not; the other labs of this computer are not counted.
    static func shortage(machines: Int, limit: Int) -> String? {
        let wanted = host + machines * machine
        guard wanted > limit else { return nil }
        return "\(machines) machines that are nodes want about \(wanted) inotify instances, and this computer allows \(limit): kubelets "
            + "would not start; raise it with: sysctl \(setting)=\(max(512, wanted * 2))"
    }
}
