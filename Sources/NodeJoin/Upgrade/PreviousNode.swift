/// The node as it was before an upgrade: programs, units and all configuration, kept on the machine until the new kubelet runs.
enum PreviousNode {
    static let folder = "\(NodePaths.root)/previous"
    private static let programs = ["kubelet", "nestbox-node"]

    /// `replace_program FILE`: puts it in the place of the program of its name, which may run.
    static let replaceProgram = """
        replace_program() {
            place=\(NodePaths.programs)/${1##*/}
            # A link is enough: programs are replaced, and never written into. Of two links to one file none would be moved.
            [ ! "$1" -ef "$place" ] || return 0
            ln -f "$1" "$place.new" 2>/dev/null || cp -p "$1" "$place.new"
            mv -f "$place.new" "$place"
        }
        """

    /// Taken once for an upgrade, however often its plan is taken up again.
    static let keep = Step(
        "KeepPrevious", check: Script("[ -f \(folder)/complete ]"),
        actions: [
            .script(
                Script(
                    """
                    rm -rf \(folder)
                    mkdir -p -m 700 \(folder)
                    for program in \(programs.joined(separator: " ")); do
                        ln \(NodePaths.programs)/$program \(folder)/$program 2>/dev/null ||
                            cp -p \(NodePaths.programs)/$program \(folder)/$program
                    done
                    cd /
                    {
                        for path in etc/nestbox etc/systemd/system/nestbox-*.service etc/cni/net.d/10-nestbox.conflist \\
                            etc/sysctl.d/99-nestbox.conf etc/sysctl.d/99-nestbox-pool.conf
                        do
                            [ ! -e "$path" ] || echo "$path"
                        done
                        [ ! -f \(ConfiguredFiles.list) ] ||
                            while read -r _ path; do [ ! -e "$path" ] || echo "${path#/}"; done < \(ConfiguredFiles.list)
                    } > \(folder)/paths
                    tar -cf \(folder)/files.tar -T \(folder)/paths
                    cp \(ConfiguredFiles.list) \(folder)/list 2>/dev/null || : > \(folder)/list
                    touch \(folder)/complete
                    """))
        ], timeout: .seconds(60))

    /// Back to it, and started. It comes before anything that is new is trusted again.
    static let bringBack = Script(
        """
        [ -f \(folder)/complete ] || return 0
        \(ConfiguredFiles.putBack)
        \(ConfiguredSysctls.functions)
        if [ -f \(ConfiguredFiles.list) ]; then
            cp \(ConfiguredFiles.list) \(folder)/list.now
            while read -r id path; do
                grep -qxF "$id $path" \(folder)/list || put_back_file "$id" "$path"
            done < \(folder)/list.now
        fi
        [ ! -f \(ConfiguredSysctls.file) ] ||
            sed -n 's/^\\([^ =]*\\) = .*/\\1/p' \(ConfiguredSysctls.file) | tr . / | while read -r name; do put_back_sysctl "$name"; done
        fingerprint() { cat "\(NodeComponents.markers)/$1" 2>/dev/null || true; }
        services="nestbox-node.service nestbox-containerd.service"
        for unit in $services; do fingerprint $unit > \(folder)/$unit.now; done
        rm -rf \(Registries.folder) \(ConfiguredSysctls.file)
        # The claim is older than the upgrade, and so are the records of what was there before a join: what came to those since stays.
        tar -xf \(folder)/files.tar -C / --exclude=etc/nestbox/claim --exclude=etc/nestbox/sysctl.before
        \(replaceProgram)
        for program in \(programs.joined(separator: " ")); do replace_program \(folder)/$program; done
        [ ! -f \(ConfiguredSysctls.file) ] ||
            sed -n 's/^\\([^ =]*\\) = \\(.*\\)/\\1 \\2/p' \(ConfiguredSysctls.file) | while read -r name value; do
                { echo "$value" > "/proc/sys/$(echo "$name" | tr . /)"; } 2>/dev/null || true
            done
        systemctl daemon-reload
        for unit in $services; do
            [ "$(fingerprint $unit)" = "$(cat \(folder)/$unit.now)" ] && systemctl is-active --quiet $unit || systemctl restart $unit
        done
        systemctl reset-failed nestbox-kubelet.service 2>/dev/null || true
        systemctl restart nestbox-kubelet.service
        """)
}
