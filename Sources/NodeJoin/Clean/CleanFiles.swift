/// Files, ours and the tenant's. What tells how far a join went, and the claim, stay to the end.
enum CleanFiles {
    /// `wipe PATH`: removes a folder or file; a folder that is a mount of its own is emptied instead. It never follows a
    /// mount into another file system.
    static let wipe = """
        wipe() {
            [ -e "$1" ] || [ -L "$1" ] || return 0
            if [ -d "$1" ] && [ ! -L "$1" ] && mountpoint -q "$1"; then
                find "$1" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf --one-file-system {} +
                chmod 755 "$1"
            else
                rm -rf --one-file-system "$1"
            fi
        }
        """

    private static let paths = [
        "/etc/systemd/system/nestbox-*.service", "/etc/systemd/system/*.wants/nestbox-*.service", "/etc/sysctl.d/99-nestbox.conf",
        "/etc/sysctl.d/99-nestbox-pool.conf",
        "/etc/modules-load.d/nestbox.conf", "/etc/kubernetes", "/etc/calico", "/etc/cilium", "/opt/nestbox",
        "/usr/libexec/kubernetes", "/var/lib/kubelet", "/var/lib/nestbox-node",
        "/var/lib/calico", "/var/lib/cilium", "/var/lib/dockershim", "/var/log/pods", "/var/log/containers", "/var/log/calico",
        "/run/nestbox", "/run/flannel", "/run/calico", "/run/cilium", "/run/xtables.lock",
    ]

    static let remove = Step(
        "RemoveFiles",
        actions: [
            .script(
                Script(
                    """
                    \(wipe)
                    for path in \(paths.joined(separator: " ")); do wipe "$path"; done
                    \(OwnFolders.restore)
                    ! grep -qs '^# made by Nestbox$' /etc/hosts || rm /etc/hosts
                    [ ! -d \(NodePaths.configuration) ] || find \(NodePaths.configuration) -mindepth 1 -maxdepth 1 \\
                        ! -name claim ! -name preflight ! -name '*.before' ! -name '*.done' -exec rm -rf {} +
                    systemctl daemon-reload
                    systemctl reset-failed 'nestbox-*' 2>/dev/null || true
                    """))
        ], timeout: .seconds(300))

    static let restoreKernelSettings = Step(
        "RestoreKernelSettings",
        actions: [
            .script(
                Script(
                    """
                    [ ! -f \(NodePaths.configuration)/sysctl.before ] ||
                        while read -r name value; do
                            [ "$(cat "/proc/sys/$name" 2>/dev/null)" = "$value" ] ||
                                { echo "$value" > "/proc/sys/$name"; } 2>/dev/null || true
                        done < \(NodePaths.configuration)/sysctl.before
                    """))
        ], timeout: .seconds(30))
}
