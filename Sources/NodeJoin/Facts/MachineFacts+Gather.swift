public import NestboxAPI
import SSHClient

extension MachineFacts {
    /// Only looks; each line is `key=value`.
    static let script = """
        export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        . /etc/os-release 2>/dev/null
        echo "architecture=$(uname -m)"
        echo "os=$PRETTY_NAME"
        echo "kernel=$(uname -r)"
        echo "machine-id=$(cat /etc/machine-id 2>/dev/null)"
        echo "cpus=$(grep -c ^processor /proc/cpuinfo)"
        echo "memory-kib=$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)"
        if [ -f /sys/fs/cgroup/cgroup.controllers ]; then echo cgroups=2; else echo cgroups=1; fi
        \(tools)
        \(folders)
        \(containers)
        echo end=end

        """

    private static let tools = """
        version() { timeout 5 "$@" 2>&1 < /dev/null | grep -oE '[0-9]+([.][0-9]+)+'; }
        tool() {
            name=$1 flag=$2 first=$3
            shift 2
            for program; do command -v "$program" > /dev/null || return 0; done
            echo "tool.$name=$(version "$first" "$flag" | head -n 1)"
        }
        \(NodeTool.allCases.filter { $0 != .cni }.map { tool in
            "tool \(tool.rawValue) \(tool == .socat ? "-V" : "--version") \(tool.programs.joined(separator: " "))"
        }.joined(separator: "\n"))
        for folder in \(NodeTool.networkPluginFolders.joined(separator: " ")); do
            if \(NodeTool.networkPlugins.map { "[ -x $folder/\($0) ]" }.joined(separator: " && ")); then
                echo "tool.cni=$(CNI_COMMAND=VERSION version $folder/bridge | sort -V | tail -n 1)"
                break
            fi
        done
        """

    private static let folders = """
        for path in \(OwnFolders.all.joined(separator: " ")); do
            if [ -e "$path" ] || [ -L "$path" ]; then echo "folder.$path=yes"; fi
        done
        """

    /// By namespace where its containerd answers; otherwise by the shims that every engine's containers have.
    private static let containers = """
        socket=/run/containerd/containerd.sock
        used=
        if [ -S $socket ] && command -v ctr > /dev/null; then
            for space in $(timeout 5 ctr -a $socket namespaces list -q 2>/dev/null); do
                count=$(timeout 5 ctr -a $socket -n "$space" containers list -q 2>/dev/null | grep -c .)
                [ "$count" = 0 ] || used="$used${used:+, }$count in $space"
            done
        fi
        shims=$(cat /proc/[0-9]*/comm 2>/dev/null | grep -cE '^(containerd-shim|conmon)')
        [ "$shims" = 0 ] || used=${used:-$shims running}
        echo "containers=$used"
        """

    /// Asks the machine, as root, what it is like. What it answers is bounded and cleaned: it may be hostile.
    /// - Throws: `StepFailure` when the user is not root and may not become it.
    public static func gather(on shell: any MachineShell) async throws -> MachineFacts {
        let result = try await shell.run(script, timeout: .seconds(30))
        if let failure = StepFailure(result, timeout: .seconds(30), isWhole: result.text.hasSuffix("end=end\n")) { throw failure }
        return MachineFacts(answer: result.text)
    }

    /// Reads `key=value` lines; what is missing or malformed stays unknown.
    init(answer: String) {
        var values: [Substring: String] = [:]
        for line in answer.split(separator: "\n").prefix(64) {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[1].isEmpty else { continue }
            values[parts[0]] = MachineWords.cleaned(String(parts[1]), limit: 128)
        }
        let architectures = ["x86_64": "amd64", "aarch64": "arm64"]
        let tools = NodeTool.allCases.compactMap { tool in values["tool.\(tool.rawValue)"].map { (tool.rawValue, $0) } }
        let folders = OwnFolders.all.filter { values["folder.\($0)"] != nil }
        self.init(
            architecture: values["architecture"].map { architectures[$0] ?? $0 }, operatingSystem: values["os"],
            kernel: values["kernel"], machineID: values["machine-id"], cpus: values["cpus"].flatMap { Int($0) },
            memoryMiB: values["memory-kib"].flatMap { Int($0) }.map { $0 / 1024 }, cgroupVersion: values["cgroups"].flatMap { Int($0) },
            tools: tools.isEmpty ? nil : Dictionary(uniqueKeysWithValues: tools), folders: folders.isEmpty ? nil : folders,
            containers: values["containers"])
    }
}
