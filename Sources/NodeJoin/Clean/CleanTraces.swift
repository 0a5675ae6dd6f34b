/// What the tenant's time left in the machine's own logs, dumps and folders for temporary files: pods' names, kubelet's errors, a
/// core of somebody's database. Who has root there next would read it.
enum CleanTraces {
    /// Whatever was changed since, by the kernel's own clock: a file's owner may set any other time.
    private static let since = "-cnewer \(NodePaths.configuration)/preflight"

    static let wipe = Step(
        "WipeTraces",
        actions: [
            .script(
                Script(
                    """
                    # A journal cannot be cut at a time: it goes whole.
                    journalctl --rotate > /dev/null 2>&1 || true
                    journalctl --vacuum-size=1 > /dev/null 2>&1 || true
                    if [ -e \(NodePaths.configuration)/preflight ]; then
                        # Those that are written to stay, empty; what was put aside of them goes.
                        find /var/log -xdev -type f \(since) ! -path '/var/log/journal/*' \\
                            \\( -name '*.gz' -o -name '*.xz' -o -name '*.zst' -o -name '*.old' -o -name '*.[0-9]' -o -name '*-20[0-9]*' \\) -delete
                        find /var/log -xdev -type f \(since) ! -path '/var/log/journal/*' -exec truncate -s 0 {} +
                        for folder in /tmp /var/tmp /dev/shm /var/crash /var/lib/systemd/coredump; do
                            [ -d "$folder" ] || continue
                            find "$folder" -xdev -mindepth 1 -depth ! -type d \(since) ! -path '*/systemd-private-*' -delete
                            find "$folder" -xdev -mindepth 1 -depth -type d -empty \(since) ! -path '*/systemd-private-*' \\
                                ! -name '.*-unix' -delete
                        done
                    fi
                    """))
        ], timeout: .seconds(120))
}
