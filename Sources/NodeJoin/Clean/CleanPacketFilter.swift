import SSHClient

/// Rules of kube-proxy, of CNI plugins and of ours, in every packet filter the kernel has; other rules stay as they are.
enum CleanPacketFilter {
    static func step(_ parameters: CleanParameters) -> Step {
        Step(
            "RemoveRules",
            actions: [
                .script(
                    Script(
                        """
                        PATH=$PATH:\(NodePaths.programs)
                        foreign='KUBE-|CNI-|NESTBOX-|nestbox-|cali[-:]|CILIUM_|FLANNEL'
                        for family in iptables ip6tables; do
                            for kind in "$family" "$family-legacy"; do
                                command -v "$kind-save" > /dev/null || continue
                                rules=$("$kind-save" 2>/dev/null) || continue
                                kept=$(printf '%s\\n' "$rules" | grep -vE "^(:|-A ).*($foreign)" || true)
                                [ "$rules" != "$kept" ] || continue
                                printf '%s\\n' "$kept" | "$kind-restore" -w 30
                            done
                        done
                        if command -v nft > /dev/null; then
                            # iptables leaves its tables behind: those that have neither rules nor policies are nobody's.
                            for family in ip ip6; do
                                for table in filter nat mangle; do
                                    rest=$(nft list table $family $table 2>/dev/null | grep -v '^#' |
                                        grep -vE '^(table .*[{]|[[:space:]]*chain .*[{]|[[:space:]]*type .*policy accept;|[[:space:]]*[}]|)$' || true)
                                    [ -n "$rest" ] || nft delete table $family $table 2>/dev/null || true
                                done
                            done
                        fi
                        pods=\(shellQuoted(parameters.clusterPodCIDR))
                        if [ -n "$pods" ] && command -v conntrack > /dev/null; then
                            conntrack -D -s "$pods" > /dev/null 2>&1 || true
                            conntrack -D -d "$pods" > /dev/null 2>&1 || true
                        fi
                        """))
            ], timeout: .seconds(60))
    }
}
