/// Folders that every node uses and that a machine may have had before, for containers of its own.
///
/// Those that tenants' pods write to are set aside by renaming and come back whole. Those of a containerd of the machine's own
/// stay where they are, for its daemon may run, idle; what our containerd puts there is known by name.
enum OwnFolders {
    static let asideSuffix = ".nestbox-aside"
    static let setAside = ["/etc/cni", "/opt/cni", "/var/lib/cni"]
    static let shared = ["/var/lib/containerd", "/run/containerd", "/opt/containerd"]
    static let all = setAside + shared
    /// Where the machine's own CNI plugins are from then on.
    static let networkPlugins = ["/opt/cni\(asideSuffix)/bin", "/usr/lib/cni"]

    private static let list = "\(NodePaths.configuration)/folders.before"

    /// Before anything is made there.
    static let keep = Step(
        "KeepFolders", check: Script("[ -f \(list).done ]"),
        actions: [
            .script(
                Script(
                    """
                    if [ ! -f \(list) ]; then
                        for path in \(all.joined(separator: " ")); do
                            if [ -e "$path" ] || [ -L "$path" ]; then echo "$path"; fi
                        done > \(list).new
                        sync \(list).new
                        mv \(list).new \(list)
                    fi
                    for path in \(setAside.joined(separator: " ")); do
                        grep -qxF "$path" \(list) || continue
                        [ -e "$path\(asideSuffix)" ] || mv -T "$path" "$path\(asideSuffix)"
                    done
                    touch \(list).done
                    """))
        ], timeout: .seconds(30))

    /// Removes ours and brings the machine's back. `wipe` is the function that removes a path.
    static let restore = """
        was_there() { grep -qsxF "$1" \(list); }
        for path in \(setAside.joined(separator: " ")); do
            if ! was_there "$path"; then
                wipe "$path"
            elif [ -e "$path\(asideSuffix)" ]; then
                wipe "$path"
                mv -T "$path\(asideSuffix)" "$path"
            fi
        done
        wipe \(NodePaths.containerdState)
        wipe /run/containerd/s
        for path in \(shared.joined(separator: " ")); do
            was_there "$path" || wipe "$path"
        done
        """
}
