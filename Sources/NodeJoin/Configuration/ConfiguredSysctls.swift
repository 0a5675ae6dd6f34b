import SSHClient

/// Kernel settings that a pool wants on its nodes, beside those that every node needs. What was there before is kept with those.
enum ConfiguredSysctls {
    /// Also says which are set: a line each, `name = value`.
    static let file = "/etc/sysctl.d/99-nestbox-pool.conf"
    static let before = "\(NodePaths.configuration)/sysctl.before"

    /// `put_back_sysctl NAME`, by its path below /proc/sys.
    static let functions = """
        put_back_sysctl() {
            value=$(sed -n "s|^$1 ||p" \(before) 2>/dev/null | head -n 1)
            [ -z "$value" ] || [ "$(cat "/proc/sys/$1" 2>/dev/null)" = "$value" ] ||
                { echo "$value" > "/proc/sys/$1"; } 2>/dev/null || true
        }
        """

    static func script(_ sysctls: [String: String]) -> Script {
        let settings = sysctls.sorted { $0.key < $1.key }
        let text = settings.map { "\($0.key) = \($0.value)" }.joined(separator: "\n")
        let wanted = settings.map { "\(path($0.key))\n" }.joined()
        let set = settings.map { name, value in
            """
            set_sysctl \(path(name)) \(shellQuoted(value))
            """
        }
        return Script(
            """
            \(functions)
            if [ -f \(file) ]; then
                sed -n 's/^\\([^ =]*\\) = .*/\\1/p' \(file) | tr . / | while read -r name; do
                    grep -qxF "$name" <<'END' || put_back_sysctl "$name"
            \(wanted)END
                done
            fi
            set_sysctl() {
                [ -e "/proc/sys/$1" ] || { echo "the kernel has no setting $(echo "$1" | tr / .)" >&2; exit 1; }
                grep -qs "^$1 " \(before) || echo "$1 $(cat "/proc/sys/$1")" >> \(before)
                { echo "$2" > "/proc/sys/$1"; } 2>/dev/null || { echo "the kernel does not take $(echo "$1" | tr / .) = $2" >&2; exit 1; }
            }
            \(set.joined(separator: "\n"))
            \(settings.isEmpty ? "rm -f \(file)" : TextFile(file, text).put)
            """)
    }

    private static func path(_ name: String) -> String { name.replacing(".", with: "/") }
}
