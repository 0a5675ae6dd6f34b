import SSHClient

/// A service of ours under systemd.
struct SystemdUnit: Sendable, Equatable {
    /// `nestbox-kubelet.service`
    var name: String
    var file: TextFile

    init(_ name: String, _ content: String) {
        self.name = name
        file = TextFile("/etc/systemd/system/\(name)", content)
    }

    /// Starts it, or starts it anew when anything it was started with has changed. `fingerprint` stands for all of that.
    func start(_ step: String, fingerprint: String, timeout: Duration = .seconds(90)) -> Step {
        let marker = "\(NodePaths.configuration)/started/\(name)"
        return Step(
            step,
            check: Script("[ \"$(cat \(marker))\" = \(fingerprint) ]\nsystemctl is-active --quiet \(name)"),
            actions: [
                .script(
                    Script(
                        """
                        mkdir -p \(NodePaths.configuration)/started
                        # Which also makes systemd read its units anew.
                        systemctl enable --quiet \(name)
                        systemctl reset-failed \(name) 2>/dev/null || true
                        systemctl restart \(name) || {
                            echo "\(name) does not start: $(journalctl -u \(name) -n 5 -o cat --no-pager 2>/dev/null)" >&2
                            exit 1
                        }
                        echo \(fingerprint) > \(marker)
                        """))
            ],
            undo: Script("rm -f \(marker)\nsystemctl stop \(name) || true"), timeout: timeout)
    }

    /// A word of an `ExecStart=` line.
    static func word(_ text: String) -> String {
        let escaped = text.map { character in
            switch character {
            case "%": "%%"
            case "$": "$$"
            case "\\": "\\\\"
            case "\"": "\\\""
            default: String(character)
            }
        }.joined()
        return escaped.contains { $0 == " " || $0 == "'" || $0 == ";" || $0 == "\"" } ? "\"\(escaped)\"" : escaped
    }
}
