/// Our units, and what systemd made for them.
enum CleanServices {
    private static let units = ["nestbox-kubelet", "nestbox-containerd", "nestbox-node", "nestbox-masquerade"].map { "\($0).service" }

    /// The kubelet first: it would start everything again.
    static let stop = Step(
        "StopServices",
        actions: [
            .script(
                Script(
                    """
                    for unit in \(units.joined(separator: " ")); do
                        systemctl disable --quiet --now $unit 2>/dev/null || true
                        # What KillMode=process left running: shims, and whatever else was started in there.
                        systemctl kill --kill-who=all --signal=KILL $unit 2>/dev/null || true
                        case $(systemctl is-active $unit || true) in
                        active | activating | deactivating | reloading) echo "$unit does not stop" >&2; exit 1 ;;
                        esac
                    done
                    """))
        ], timeout: .seconds(120))

    /// The cgroups of pods: folders, or slices of systemd's; and of our units, where systemd does not know them any more. Where machines
    /// are containers, a hierarchy may be shared with others: groups whose processes are not to be seen from here (they read as 0) are not
    /// ours.
    static let removeSlices = Step(
        "RemoveCgroups",
        actions: [
            .script(
                Script(
                    """
                    systemctl stop kubepods.slice 2>/dev/null || true
                    try=0
                    while :; do
                        left=$(find /sys/fs/cgroup -depth -type d \\( -path '*/kubepods*' -o -path '*/nestbox-*.service*' \\) 2>/dev/null)
                        [ -n "$left" ] || break
                        printf '%s\\n' "$left" | while read -r folder; do rmdir "$folder" 2>/dev/null || true; done
                        try=$((try + 1))
                        if [ $try -ge 50 ]; then
                            foreign=$(printf '%s\\n' "$left" | while read -r folder; do cat "$folder/cgroup.procs" 2>/dev/null; done | sort -u)
                            [ "$foreign" != 0 ] || break
                            echo "cgroups are still in use: $left" >&2
                            exit 1
                        fi
                        sleep 0.1
                    done
                    """))
        ], timeout: .seconds(60))
}
