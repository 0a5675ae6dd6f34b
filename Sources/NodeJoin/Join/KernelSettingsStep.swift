/// Modules and sysctls that Services and pods' traffic need, now and after a reboot.
enum KernelSettingsStep {
    /// All that changes while a machine is a node, whoever changes it (us, `nestbox-node`, the kubelet, kube-proxy, CNI
    /// plugins): kept from before, so that cleaning can put it back.
    private static let touched = [
        "net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables",
        "net/ipv4/conf/all/route_localnet", "net/ipv4/conf/all/arp_ignore", "net/netfilter/nf_conntrack_max",
        "net/netfilter/nf_conntrack_tcp_timeout_established",
        "net/netfilter/nf_conntrack_tcp_timeout_close_wait", "net/netfilter/nf_conntrack_tcp_be_liberal", "vm/overcommit_memory",
        "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
    ]

    private static let files = [
        TextFile("/etc/modules-load.d/nestbox.conf", "overlay\nbr_netfilter"),
        TextFile(
            "/etc/sysctl.d/99-nestbox.conf",
            """
            net.ipv4.ip_forward = 1
            net.bridge.bridge-nf-call-iptables = 1
            net.bridge.bridge-nf-call-ip6tables = 1
            """),
    ]

    static let step = Step(
        "KernelSettings",
        check: files.allSame
            + """
            [ "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/bridge/bridge-nf-call-iptables | tr -d '\\n')" = 11 ]
            """,
        actions: [
            .script(
                Script(
                    """
                    modprobe -q -a overlay br_netfilter 2>/dev/null || true
                    if [ ! -f \(NodePaths.configuration)/sysctl.before ]; then
                        for name in \(touched.joined(separator: " ")); do
                            [ ! -r "/proc/sys/$name" ] || echo "$name $(cat "/proc/sys/$name")"
                        done > \(NodePaths.configuration)/sysctl.before.new
                        # The kubelet mounts its folder on itself where that is not shared: how many mounts are the machine's?
                        awk '$5 == "/var/lib/kubelet"' /proc/self/mountinfo | wc -l > \(NodePaths.configuration)/mounts.before
                        sync \(NodePaths.configuration)/sysctl.before.new \(NodePaths.configuration)/mounts.before
                        mv \(NodePaths.configuration)/sysctl.before.new \(NodePaths.configuration)/sysctl.before
                    fi
                    """) + files.putAll
                        + """
                        for name in net/ipv4/ip_forward net/bridge/bridge-nf-call-iptables net/bridge/bridge-nf-call-ip6tables; do
                            [ ! -e "/proc/sys/$name" ] || [ "$(cat "/proc/sys/$name")" = 1 ] || echo 1 > "/proc/sys/$name"
                        done
                        """)
        ], timeout: .seconds(30))
}
