import SSHClient

/// A service of a node: how it is configured, the unit that runs it, and what stands for all that it is started with.
struct NodeComponent: Sendable {
    var unit: SystemdUnit
    /// Writes its files, the unit's among them.
    var configure: Script
    /// Changes when it must be started anew.
    var fingerprint: String
}

/// A node's services, in the order in which they start.
struct NodeComponents {
    /// What each was started with, a file a unit.
    static let markers = "\(NodePaths.configuration)/started"

    /// The kubelet's bootstrap goes through `nestbox-node`, and its pods need the rest.
    var first: [NodeComponent]
    var kubelet: NodeComponent
    var all: [NodeComponent] { first + [kubelet] }

    init(_ parameters: JoinParameters) {
        first = [
            NodeService.component(parameters), PodNetwork.component(parameters.network), Containerd.component(parameters),
        ].compactMap { $0 }
        kubelet = Kubelet.component(parameters)
    }
}

extension [NodeComponent] {
    /// Writes all files; systemd then reads its units anew, once.
    func configure(_ step: String) -> Step {
        let scripts = map(\.configure) + [Script("systemctl enable --quiet \(map(\.unit.name).joined(separator: " "))")]
        return Step(step, actions: [.script(Script(scripts.map(\.body).joined(separator: "\n")))], timeout: .seconds(60))
    }

    /// Starts those that do not run, and starts anew those whose fingerprint has changed. The others are left alone.
    func start(_ step: String) -> Step {
        let markers = NodeComponents.markers
        let pairs = map { "\($0.unit.name)=\($0.fingerprint)" }.joined(separator: " \\\n    ")
        let stale = """
            stale=
            for pair in \(pairs)
            do
                unit=${pair%%=*}
                if [ "$(cat \(markers)/$unit 2>/dev/null)" != "${pair#*=}" ] || ! systemctl is-active --quiet $unit; then
                    stale="$stale $pair"
                fi
            done
            """
        return Step(
            step, check: Script("\(stale)\n[ -z \"$stale\" ]"),
            actions: [
                .script(
                    Script(
                        """
                        \(stale)
                        units=
                        for pair in $stale; do units="$units ${pair%%=*}"; done
                        systemctl reset-failed $units 2>/dev/null || true
                        systemctl restart $units 2>/dev/null || true
                        mkdir -p \(markers)
                        for pair in $stale; do
                            unit=${pair%%=*}
                            systemctl is-active --quiet $unit || {
                                echo "$unit does not start: $(journalctl -u $unit -n 5 -o cat --no-pager 2>/dev/null)" >&2
                                exit 1
                            }
                            echo "${pair#*=}" > \(markers)/$unit
                        done
                        """))
            ],
            undo: Script(
                "for unit in \(map(\.unit.name).joined(separator: " ")); do rm -f \(markers)/$unit; systemctl stop $unit || true; done"),
            timeout: .seconds(120))
    }
}

/// A service under systemd.
struct SystemdUnit: Sendable, Equatable {
    /// `nestbox-kubelet.service`
    var name: String
    var file: TextFile

    init(_ name: String, _ content: String) {
        self.name = name
        file = TextFile("/etc/systemd/system/\(name)", content)
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
