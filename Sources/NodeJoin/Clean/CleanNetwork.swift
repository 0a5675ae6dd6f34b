import SSHClient

/// Links, addresses and routes of the pods' network and of `nestbox-node`.
enum CleanNetwork {
    static func step(_ parameters: CleanParameters) -> Step {
        let address = shellQuoted(parameters.nodeLocalAPIAddress)
        return Step(
            "RemoveNetwork",
            actions: [
                .script(
                    Script(
                        """
                        # Not every veth: the machine's own way out may be one. The bridge plugin names its own by eight digits.
                        ip -o link show | sed 's/^[0-9]*: \\([^:@]*\\).*/\\1/' |
                            grep -E '^(cni0|veth[0-9a-f]{8}|flannel[.].*|cali[0-9a-f]{11}|vxlan[.]calico|cilium_.*|lxc.*|kube-ipvs0)$' |
                            while read -r link; do ip link delete "$link" 2>/dev/null || true; done
                        ip -4 -o addr show | awk -v address=\(address) '{ split($4, part, "/"); if (part[1] == address) print $2, $4 }' |
                            while read -r link cidr; do ip addr delete "$cidr" dev "$link"; done
                        pods=\(shellQuoted(parameters.clusterPodCIDR))
                        [ -z "$pods" ] || ip -4 route flush root "$pods"
                        """))
            ], timeout: .seconds(60))
    }
}
