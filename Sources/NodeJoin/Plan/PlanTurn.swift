/// One script of a plan at a time runs on a machine, whoever sent it and whatever became of the connection that it came by.
///
/// The lock's file says who holds it and until when at most. Who hangs on to it past that time lost the timeout(1) that would have
/// ended it, and is ended by who comes next: by its process group, and only while it does hold the lock.
enum PlanTurn {
    static let lock = "/run/nestbox-plan.lock"
    /// How long the next one waits for its turn. Longer scripts than that make it come back later.
    static let patience = Duration.seconds(60)
    /// What timeout(1) takes at most to end a script by force, and a little.
    private static let grace = 10

    /// Waits for the turn and takes it on descriptor 9.
    static func take(_ timeout: Duration) -> String {
        """
        uptime() { read -r up rest < /proc/uptime; echo "${up%%.*}"; }
        holds() {
            for open in "/proc/$1/fd"/*; do if [ "$open" -ef \(lock) ]; then return 0; fi; done
            return 1
        }
        take_turn() {
            patience=$(($(uptime) + \(patience.components.seconds)))
            while :; do
                exec 9>> \(lock)
                # Cleaning removes the file in the end: a lock on the one that was there is nobody's.
                if flock -n 9 && [ /proc/self/fd/9 -ef \(lock) ]; then break; fi
                exec 9>&-
                holder= over=
                read -r holder over rest < \(lock) 2> /dev/null || true
                case $holder$over in
                '' | *[!0-9]*) ;;
                *)
                    if [ "$(uptime)" -gt "$over" ] && holds "$holder"; then
                        kill -KILL "-$(cut -d ' ' -f 5 "/proc/$holder/stat")" "$holder" 2> /dev/null || true
                    fi
                    ;;
                esac
                if [ "$(uptime)" -ge "$patience" ]; then
                    echo "another plan still works on this machine (process ${holder:-unknown}," \\
                        "$(sed -n 's/^State:[[:space:]]*//p' "/proc/${holder:-0}/status" 2> /dev/null))" >&2
                    exit \(ScriptStatus.busy)
                fi
                sleep 0.5
            done
            echo "$$ $(($(uptime) + \(timeout.components.seconds) + \(grace)))" > \(lock)
        }
        take_turn
        """
    }
}
