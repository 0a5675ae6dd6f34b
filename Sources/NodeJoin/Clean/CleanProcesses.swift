/// Pods' processes and their shims.
enum CleanProcesses {
    static let kill = Step(
        "KillPods",
        actions: [
            .script(
                Script(
                    """
                    pods_processes() {
                        for process in /proc/[0-9]*; do
                            case $(readlink "$process/exe" 2>/dev/null) in
                            /opt/nestbox/* | /opt/cni/*) echo "${process#/proc/}"; continue ;;
                            esac
                            case $(cat "$process/cgroup" 2>/dev/null) in
                            *kubepods* | *nestbox-*.service*) echo "${process#/proc/}" ;;
                            esac
                        done
                    }
                    try=0
                    while :; do
                        left=$(pods_processes)
                        [ -n "$left" ] || break
                        # Frozen ones cannot die.
                        find /sys/fs/cgroup -path '*kubepods*' \\( -name freezer.state -o -name cgroup.freeze \\) 2>/dev/null |
                            while read -r file; do
                                case $file in *.state) echo THAWED ;; *) echo 0 ;; esac > "$file" 2>/dev/null || true
                            done
                        for id in $left; do kill -KILL "$id" 2>/dev/null || true; done
                        try=$((try + 1))
                        [ $try -lt 100 ] || {
                            echo "processes of pods cannot be killed:" $(ps -o pid=,stat=,args= -p "$(echo $left | tr ' ' ,)") >&2
                            exit 1
                        }
                        sleep 0.1
                    done
                    """))
        ], timeout: .seconds(90))
}
