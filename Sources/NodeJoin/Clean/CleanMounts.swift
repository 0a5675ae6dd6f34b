/// What the kubelet and containerd mounted. Mounts *at* their folders are the machine's own and stay.
enum CleanMounts {
    static let unmount = Step(
        "Unmount",
        actions: [
            .script(
                Script(
                    """
                    mounts() {
                        awk '$5 ~ "^/(var/lib/(kubelet|containerd|nestbox-node|cni)|run/(nestbox|containerd)|opt/(nestbox|cni))/" ||
                             $5 ~ "^/run/netns/cni-" { print $5 }' /proc/self/mountinfo | sort -r
                    }
                    try=0
                    while :; do
                        left=$(mounts)
                        [ -n "$left" ] || break
                        lazily=
                        [ $try -lt 10 ] || lazily=-l
                        printf '%s\\n' "$left" | while read -r path; do
                            umount $lazily "$(printf '%b' "$path")" 2>/dev/null || true
                        done
                        try=$((try + 1))
                        [ $try -lt 30 ] || { echo "cannot be unmounted: $left" >&2; exit 1; }
                        [ $try -eq 1 ] || sleep 0.2
                    done
                    rm -f /run/netns/cni-*
                    rmdir /run/netns 2>/dev/null || true
                    """))
        ], timeout: .seconds(60))
}
