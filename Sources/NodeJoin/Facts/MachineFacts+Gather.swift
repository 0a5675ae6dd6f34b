import NestboxAPI
import SSHClient

extension MachineFacts {
    private static let script = """
        . /etc/os-release 2>/dev/null
        echo "architecture=$(uname -m)"
        echo "os=$PRETTY_NAME"
        echo "kernel=$(uname -r)"
        echo "machine-id=$(cat /etc/machine-id 2>/dev/null)"
        echo "cpus=$(grep -c ^processor /proc/cpuinfo)"
        echo "memory-kib=$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)"
        [ -f /sys/fs/cgroup/cgroup.controllers ] && echo cgroups=2 || echo cgroups=1
        """

    /// Asks the machine what it is like. What it answers is bounded and cleaned: it may be hostile.
    public static func gather(over connection: SSHConnection) async throws -> MachineFacts {
        MachineFacts(answer: try await connection.execute(script, timeout: .seconds(20)).text)
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
        self.init(
            architecture: values["architecture"].map { architectures[$0] ?? $0 }, operatingSystem: values["os"],
            kernel: values["kernel"], machineID: values["machine-id"], cpus: values["cpus"].flatMap { Int($0) },
            memoryMiB: values["memory-kib"].flatMap { Int($0) }.map { $0 / 1024 }, cgroupVersion: values["cgroups"].flatMap { Int($0) })
    }
}
