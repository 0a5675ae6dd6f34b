import ArtifactStore
import FoundationEssentials
import Logging
import Subprocess
import Testing

@testable import Lab

/// On this computer, as root, minutes long: only when asked for with NESTBOX_TEST_LAB=1.
@Suite("The lab", .serialized, .enabled(if: ProcessInfo.processInfo.environment["NESTBOX_TEST_LAB"] == "1"), .timeLimit(.minutes(15)))
struct LabTests {
    let lab: Lab

    init() throws {
        let logger = Logger(label: "lab-tests") { StreamLogHandler.standardError(label: $0) }
        lab = try Lab(
            name: "labtest", artifacts: ArtifactStore(logger: logger), supervisor: [try Self.nestbox(), "lab", "supervise"], logger: logger)
    }

    /// The built `nestbox`, in a folder above this test's own binary.
    private static func nestbox() throws -> String {
        var folder = CommandLine.arguments[0]
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            if Files.isExecutable("\(folder)/nestbox"), !Files.isFolder("\(folder)/nestbox") { return "\(folder)/nestbox" }
        }
        throw LabError("nestbox was not built beside \(CommandLine.arguments[0])")
    }

    /// From nothing, through everything that may happen to a lab, to nothing: one test, for the lab takes a while to come up.
    @Test func aLabsLife() async throws {
        try await lab.down()
        let before = try await Trace.ofThisComputer(lab)
        #expect(before.ofTheLab == [])
        do {
            try await life()
        } catch {
            Issue.record("\(error)")
        }
        try await lab.down()
        // The kernel takes interfaces of a network that is gone away a little later.
        let clean = try await Wait.until(.seconds(10)) { try await Trace.ofThisComputer(lab) == before }
        if !clean { #expect(try await Trace.ofThisComputer(lab) == before) }
        #expect(try await lab.status().phase == .absent)
        try await lab.down()
    }

    private func life() async throws {
        let state = try await lab.up(machines: 2)
        #expect(try await lab.status().phase == .up)
        #expect(state.machines.map(\.user) == ["root", "admin"])
        #expect(try await !Trace.ofThisComputer(lab).ofTheLab.isEmpty)
        try await machinesLetUsIn(state)
        try await theFirewallHolds(state)
        try await volumesCome(state)

        #expect(try await lab.up(machines: 2) == state)

        try await crashesAreMended(state)
        try await machinesRebootAndComeBack(state)

        #expect(try await lab.up(machines: 3).machines.count == 3)
        #expect(try await lab.up(machines: 1).machines.map(\.name) == ["worker-1"])
        #expect(!Files.exists(lab.paths.machine("worker-2")))
        #expect(try await lab.up().machines.count == 1)
        try await sysctlsAreTheComputers()
    }

    private func kubectl(_ state: LabState, _ arguments: String...) async throws -> String {
        try await Command.output("\(state.binPath)/kubectl", ["--kubeconfig", state.hostKubeconfigPath] + arguments, purpose: "test")
    }

    private func machinesLetUsIn(_ state: LabState) async throws {
        for machine in state.machines {
            let sudo = machine.user == "root" ? "" : "sudo -n "
            let said = try await Command.output(
                "ssh",
                [
                    "-q", "-i", state.sshKeyPath, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
                    "UserKnownHostsFile=/dev/null",
                    "\(machine.user)@\(machine.address)",
                    "\(sudo)id -u; uname -n; systemctl is-system-running --wait; cat /etc/machine-id; command -v containerd runc iptables kubelet; true",
                ], purpose: "logging in")
            let lines = said.split(separator: "\n")
            #expect(lines.prefix(3) == ["0", machine.name[...], "running"])
            #expect(lines.count == 4, "plain Debian: \(lines)")
        }
        let identities = try await [
            lab.run(in: .machine("worker-1"), "cat", ["/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub"]).output,
            lab.run(in: .machine("worker-2"), "cat", ["/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub"]).output,
        ]
        #expect(Set(identities.flatMap { $0.split(separator: "\n") }).count == 4)
    }

    private func opens(_ place: Lab.Place, _ address: String, _ port: Int) async throws -> Bool {
        try await lab.run(in: place, "timeout", ["2", "bash", "-c", "exec 3<>/dev/tcp/\(address)/\(port)"]).succeeded
    }

    private func theFirewallHolds(_ state: LabState) async throws {
        let worker = state.machines[0]
        // Something listens on a kubelet's port.
        _ = try await lab.run(
            in: .machine(worker.name), "systemd-run", ["--unit", "listener", "sshd", "-D", "-p", "10250", "-o", "PidFile=none"])
        let listens = try await Wait.until(.seconds(10)) { try await opens(.machine(worker.name), "127.0.0.1", 10250) }
        #expect(listens)
        #expect(try await opens(.machine("worker-2"), worker.address, 10250), "machines reach each other")
        #expect(try await opens(.host, worker.address, 22))
        #expect(try await !opens(.host, worker.address, 10250))
        #expect(Probe.connects(to: worker.address, port: 22))
        #expect(!Probe.connects(to: worker.address, port: 10250))
        // And from the machine nothing but NodePorts: not the host's API under any of its addresses, not the computer.
        let plan = try #require(try Files.decode(LabSpec.self, ifThere: lab.paths.spec)).addresses
        for (address, port) in [
            ("\(plan.host)", 6443), ("\(plan.gateway)", 6443), ("\(plan.apiService)", 443), ("\(plan.host)", 10250),
            ("\(plan.computer)", 22),
        ] {
            #expect(try await !opens(.machine(worker.name), address, port), "\(address):\(port)")
        }
        #expect(try await opens(.host, "\(plan.apiService)", 443))
        #expect(try await !lab.run(in: .machine(worker.name), "ping", ["-c1", "-W1", "192.0.2.1"]).succeeded)
    }

    private func volumesCome(_ state: LabState) async throws {
        let claim = """
            {"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"data","namespace":"default"},
            "spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}
            """
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try Files.write(claim, to: "\(folder.path)/claim.json")
        _ = try await kubectl(state, "apply", "-f", "\(folder.path)/claim.json")
        let bound = try await Wait.until(.seconds(20)) {
            try await kubectl(state, "get", "pvc", "data", "-o", "jsonpath={.status.phase}") == "Bound"
        }
        #expect(bound)
        #expect(Files.names(in: lab.paths.volumes).count == 1)
        _ = try await kubectl(state, "delete", "pvc", "data")
        let gone = try await Wait.until(.seconds(20)) {
            try await kubectl(state, "get", "pv", "-o", "name").isEmpty && Files.names(in: lab.paths.volumes).isEmpty
        }
        #expect(gone)
    }

    private func crashesAreMended(_ state: LabState) async throws {
        _ = try await lab.run(in: .host, "sh", ["-c", "kill -9 $(ps -eo pid,comm | awk '$2 == \"kube-scheduler\" { print $1 }')"])
        let restarted = try await Wait.until(.seconds(30)) {
            let part = try await lab.status().components.first { $0.name == "kube-scheduler" }
            return part?.restarts == 1 && part?.phase == .running
        }
        #expect(restarted)
        let process = try #require(try SupervisorProcess.running(lab.paths))
        try process.signal(9)
        let dead = try await Wait.until(.seconds(10)) { try await lab.status().phase == .stopped }
        #expect(dead)
        #expect(try await lab.up() == state)
        #expect(try await lab.status().phase == .up)
        // Interrupted in the middle of coming up, and at once again.
        try await lab.stop()
        let attempt = Task { try await lab.up() }
        try await Task.sleep(for: .milliseconds(300))
        attempt.cancel()
        _ = await attempt.result
        #expect(try await lab.up() == state)
    }

    private func machinesRebootAndComeBack(_ state: LabState) async throws {
        let machine = state.machines[0].name
        _ = try await lab.run(in: .machine(machine), "touch", ["/root/kept", "/run/lost"])
        _ = try await lab.run(in: .machine(machine), "systemctl", ["reboot"])
        let back = try await Wait.until(.seconds(40)) {
            let part = try await lab.status().machines.first { $0.name == machine }
            return part?.phase == .ready && part?.restarts ?? 0 > 0
        }
        #expect(back)
        #expect(try await lab.run(in: .machine(machine), "ls", ["/root/kept"]).succeeded)
        #expect(try await !lab.run(in: .machine(machine), "ls", ["/run/lost"]).succeeded)
        _ = try await lab.run(in: .machine(machine), "systemctl", ["poweroff"])
        let off = try await Wait.until(.seconds(40)) { try await lab.status().machines.first { $0.name == machine }?.phase == .off }
        #expect(off)
        #expect(try await lab.up() == state)
    }

    /// What a kubelet writes into its machine's kernel settings does not reach the computer's kernel.
    private func sysctlsAreTheComputers() async throws {
        let before = try Files.text("/proc/sys/kernel/panic")
        #expect(try await lab.run(in: .machine("worker-1"), "sh", ["-c", "echo 77 > /proc/sys/kernel/panic"]).succeeded)
        #expect(try Files.text("/proc/sys/kernel/panic") == before)
        #expect(try await !lab.run(in: .machine("worker-1"), "sh", ["-c", "echo 1 > /proc/sys/vm/swappiness"]).succeeded)
        #expect(try await lab.run(in: .machine("worker-1"), "sh", ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]).succeeded)
    }
}

/// What a lab could leave behind on the computer.
private struct Trace: Equatable {
    /// Groups, interfaces, addresses, routes, files and processes that are this lab's.
    var ofTheLab: [String]
    var mounts: [String]
    var namedNetworks: [String]
    var packetFilter: String
    var settings: [String: String]

    static func ofThisComputer(_ lab: Lab) async throws -> Trace {
        let routes = try await Command.output("ip", ["-4", "route", "show", "table", "all"], purpose: "test")
        let addresses = try await Command.output("ip", ["-o", "address"], purpose: "test")
        var found = (routes + addresses).split(separator: "\n").map(String.init).filter { $0.contains(lab.labName.link) }
        found += lab.cgroups.groups
        if Files.exists(lab.paths.state) { found.append(lab.paths.state) }
        for process in Files.names(in: "/proc").compactMap(Int.init) where process != Int(getProcessID()) {
            let groups = try Files.text(ifThere: "/proc/\(process)/cgroup") ?? ""
            let arguments = try Files.text(ifThere: "/proc/\(process)/cmdline") ?? ""
            if groups.contains("/\(lab.labName.cgroup)") || arguments.contains(lab.paths.state + "/") { found.append("process \(process)") }
        }
        let rules = try await Command.result("iptables-save", [], purpose: "test").output
        var settings: [String: String] = [:]
        for setting in [
            "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/pid_max", "net/ipv4/ip_forward",
        ] {
            settings[setting] = try Files.text("/proc/sys/\(setting)")
        }
        return Trace(
            ofTheLab: found, mounts: MountTable(try Files.text("/proc/self/mountinfo")).mounts.map { "\($0.place) \($0.fileSystem)" },
            namedNetworks: Files.names(in: "/run/netns").filter { $0.contains(lab.name) },
            packetFilter: rules.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined(separator: "\n"), settings: settings)
    }

    private static func getProcessID() -> Int32 { ProcessInfo.processInfo.processIdentifier }
}
