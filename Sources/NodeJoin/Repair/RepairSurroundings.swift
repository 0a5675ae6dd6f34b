/// What no restart mends, but a person wants to know.
enum RepairSurroundings {
    static let step = Step(
        "Surroundings",
        actions: [memory, cgroups, network].map { .script($0.action) }, timeout: .seconds(60),
        retry: RetryRule(attempts: 2, delay: .seconds(2)))

    private static let memory = RepairLook(
        subject: .memory,
        look: """
            awk '$1 == "MemTotal:" { all = $2 } $1 == "MemAvailable:" { free = $2 }
                END { if (all > 0 && free < all * 0.03) print "only " int(free / 1024) " of its " int(all / 1024) " MiB of memory are free" }
            ' /proc/meminfo
            """)

    private static let cgroups = RepairLook(
        subject: .cgroups,
        look: """
            lacking=
            if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
                for controller in cpu cpuset memory pids; do
                    case " $(cat /sys/fs/cgroup/cgroup.controllers) " in *" $controller "*) ;; *) lacking="$lacking $controller" ;; esac
                done
            else
                for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
                    [ -e "/sys/fs/cgroup/$controller/cgroup.procs" ] || lacking="$lacking $controller"
                done
            fi
            [ -z "$lacking" ] || echo "cgroup controllers are gone:$lacking"
            """)

    private static let network = RepairLook(
        subject: .network,
        look: """
            endpoints=$(sed -n 's/^api-endpoints = //p' \(NodePaths.configuration)/node.conf 2>/dev/null | tr , ' ')
            [ -n "$endpoints" ] || return 0
            for endpoint in $endpoints; do
                ! timeout 5 bash -c 'exec 3<> "/dev/tcp/$1/$2"' sh "${endpoint%:*}" "${endpoint##*:}" 2>/dev/null || return 0
            done
            echo "none of the API server's addresses answers from there ($endpoints)"
            """)
}
