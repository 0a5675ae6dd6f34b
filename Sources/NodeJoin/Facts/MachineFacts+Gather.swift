public import NestboxAPI
import SSHClient

extension MachineFacts {
    /// Only looks; each line is `key=value`.
    static let script = """
        export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        . /etc/os-release 2>/dev/null
        echo "architecture=$(uname -m)"
        echo "os=$PRETTY_NAME"
        echo "os-id=$ID"
        echo "os-version=$VERSION_ID"
        echo "kernel=$(uname -r)"
        echo "machine-id=$(cat /etc/machine-id 2>/dev/null)"
        echo "cpus=$(grep -c ^processor /proc/cpuinfo)"
        echo "memory-kib=$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)"
        if [ -f /sys/fs/cgroup/cgroup.controllers ]; then echo cgroups=2; else echo cgroups=1; fi
        \(disks)
        \(accelerators)
        \(tools)
        \(folders)
        \(containers)
        echo end=end

        """

    /// What is built in: no loop devices, partitions, volumes made of others, or what can be taken out.
    private static let disks = """
        for path in /sys/block/*; do
            disk=${path##*/}
            [ -e "$path/device" ] && [ "$(cat "$path/removable" 2>/dev/null)" != 1 ] || continue
            case $disk in
            sr* | fd* | loop* | nbd*) continue ;;
            nvme*) kind=nvme ;;
            vd* | xvd*) kind=virtual ;;
            *)
                kind=ssd
                [ "$(cat "$path/queue/rotational" 2>/dev/null)" = 0 ] || kind=hdd
                case $(cat "$path/device/vendor" 2>/dev/null) in QEMU* | VMware* | Msft* | VBOX*) kind=virtual ;; esac
                ;;
            esac
            echo "disk.$disk=$(cat "$path/size") $kind"
        done
        """

    /// Display and 3D controllers and processing accelerators of makers of such: what only shows a server's console is none. Intel's
    /// at 00:02.0 is part of the processor.
    private static let accelerators = """
        for path in /sys/bus/pci/devices/*; do
            case $(cat "$path/class" 2>/dev/null) in 0x0300* | 0x0302* | 0x0380* | 0x12*) ;; *) continue ;; esac
            vendor=$(cat "$path/vendor")
            case $vendor in
            0x10de | 0x1002) ;;
            0x8086) case $path in *:00:02.0) continue ;; esac ;;
            *) continue ;;
            esac
            device=$(cat "$path/device")
            echo "gpu.${path##*/}=${vendor#0x}:${device#0x}"
        done
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
        for line in answer.split(separator: "\n").prefix(512) {
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
            containers: values["containers"], operatingSystemID: values["os-id"], operatingSystemVersion: values["os-version"],
            disks: Self.disks(values), gpus: Self.gpus(values))
    }

    /// Of `disk.NAME=SECTORS KIND`. At most so many: a status has its limits.
    private static func disks(_ values: [Substring: String]) -> [DiskFact]? {
        let found = values.compactMap { key, value -> DiskFact? in
            let parts = value.split(separator: " ")
            guard key.hasPrefix("disk."), parts.count == 2, let sectors = Int(parts[0]), sectors > 0,
                ["nvme", "ssd", "hdd", "virtual"].contains(parts[1])
            else { return nil }
            let name = MachineWords.cleaned(String(key.dropFirst("disk.".count)), limit: 32)
            return DiskFact(name: name, sizeGiB: Int((Double(sectors) / 2_097_152).rounded()), kind: String(parts[1]))
        }
        return found.isEmpty ? nil : Array(found.sorted { $0.name < $1.name }.prefix(64))
    }

    /// Of `gpu.ADDRESS=VENDOR:DEVICE`.
    private static func gpus(_ values: [Substring: String]) -> [GPUFact]? {
        let vendors = ["10de": "nvidia", "1002": "amd", "8086": "intel"]
        var counts: [String: Int] = [:]
        for (key, value) in values where key.hasPrefix("gpu.") {
            let parts = value.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 4 && $0.allSatisfy(\.isHexDigit) }) else { continue }
            counts[value, default: 0] += 1
        }
        let found = counts.sorted { $0.key < $1.key }.compactMap { device, count in
            vendors[String(device.prefix(4))].map { GPUFact(vendor: $0, device: device, count: count) }
        }
        return found.isEmpty ? nil : Array(found.prefix(16))
    }
}
