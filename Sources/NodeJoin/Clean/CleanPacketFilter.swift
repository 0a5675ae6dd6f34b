import SSHClient

/// Rules of kube-proxy, of CNI plugins and of ours, in every packet filter the kernel has; other rules stay as they are.
enum CleanPacketFilter {
    static func step(_ parameters: CleanParameters) -> Step {
        let pods = shellQuoted(parameters.clusterPodCIDR)
        return Step(
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
                                case $kind in *-legacy) continue ;; esac
                                # Chains that our programs made by looking: without rules in them they go, too.
                                for table in mangle nat filter; do "$kind" -w 30 -t $table -X 2>/dev/null || true; done
                            done
                        done
                        if command -v nft > /dev/null; then
                            nft list tables 2>/dev/null | while read -r _ family table; do
                                case $(nft list table "$family" "$table" 2>/dev/null | wc -l) in
                                2) nft delete table "$family" "$table" 2>/dev/null || true ;;
                                esac
                            done
                        fi
                        if command -v conntrack > /dev/null; then
                            conntrack -D -s \(pods) > /dev/null 2>&1 || true
                            conntrack -D -d \(pods) > /dev/null 2>&1 || true
                        fi
                        """))
            ], timeout: .seconds(60))
    }
}
