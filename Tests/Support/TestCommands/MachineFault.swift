/// What can happen to a server.
public enum MachineFault: String, Sendable, CaseIterable {
    /// The power is cut, and comes back when the fault ends.
    case powerOff = "power off"
    /// The power is cut, and is back at once.
    case reboot
    /// Every process stands still (SIGSTOP).
    case freeze
    /// Those that make it a node stand still; of a machine that is none, sshd.
    case freezeServices = "freeze services"
    /// The cable is out.
    case cut
    /// A narrow line with a long queue, both ways.
    case slow
    /// No room is left on the disk of `LabRun.giveDisk`.
    case fill
}

extension LabRun {
    /// Makes it happen.
    public func begin(_ fault: MachineFault, on machine: String) async throws {
        switch fault {
        // Whose power is cut says no goodbye, and answers nothing.
        case .powerOff:
            try await begin(.cut, on: machine)
            // The connection by which it is said goes with it.
            _ = try? await onMachine(machine, "systemctl poweroff --force --force")
        case .reboot:
            try await begin(.cut, on: machine)
            _ = try? await onMachine(machine, "systemctl reboot --force --force")
            try await end(.cut, on: machine)
        // Twice, for what was started meanwhile.
        case .freeze: try await onHost("\(Self.signalAll("STOP", machine)); \(Self.signalAll("STOP", machine))")
        case .freezeServices:
            try await onMachine(
                machine,
                """
                for unit in nestbox-kubelet nestbox-containerd; do
                    process=$(systemctl show --property MainPID --value $unit)
                    [ "$process" = 0 ] || { kill -STOP "$process"; stopped=1; }
                done
                process=$(systemctl show --property MainPID --value ssh)
                [ -n "$stopped" ] || [ "$process" = 0 ] || kill -STOP "$process"
                """)
        case .cut: try await onHost("ip -n switch link set \(machine) down")
        case .slow:
            try await onHost(
                """
                ip netns exec switch tc qdisc replace dev \(machine) root tbf rate 300kbit burst 32kb latency 3s
                ip netns exec \(machine) tc qdisc replace dev eth0 root tbf rate 300kbit burst 32kb latency 3s
                """)
        case .fill:
            // Its blocks are counted, and none of them is written.
            try await onHost(
                """
                disk=\(folder(of: machine))/disk
                mountpoint -q $disk || exit 1
                # What failed for want of room has taken most of it, too.
                for file in 1 2 3 4; do
                    left=$(df --output=avail -B1024 $disk | tail -1)
                    [ $left -gt 1024 ] || break
                    fallocate -l $((left - 512))K $disk/filler-$file 2> /dev/null
                done
                [ $(df --output=avail -B1024 $disk | tail -1) -lt 16384 ]
                """)
        }
    }

    /// Makes it good.
    public func end(_ fault: MachineFault, on machine: String) async throws {
        switch fault {
        case .powerOff:
            try await end(.cut, on: machine)
            try await switchOn()
        case .reboot:
            _ = try await CommandRun.eventually(within: .seconds(60), "\(machine) to be up again") {
                try await onMachine(machine, "systemctl is-active --quiet ssh")
            }
        case .freeze: try await onHost(Self.signalAll("CONT", machine))
        case .freezeServices:
            try await onMachine(
                machine,
                """
                for unit in nestbox-containerd nestbox-kubelet ssh; do
                    process=$(systemctl show --property MainPID --value $unit)
                    [ "$process" = 0 ] || kill -CONT "$process"
                done
                """)
        case .cut: try await onHost("ip -n switch link set \(machine) up")
        case .slow:
            try await onHost("ip netns exec switch tc qdisc del dev \(machine) root; ip netns exec \(machine) tc qdisc del dev eth0 root")
        case .fill: try await onHost("rm -f \(folder(of: machine))/disk/filler-*")
        }
    }

    /// Gives a machine that nothing was put on yet a disk of its own for what a node writes, so that it can be filled: the lab's machines
    /// share the computer's otherwise. It is there from its next start on, which this waits for.
    public func giveDisk(of size: String, to machine: String) async throws {
        let started = try await onMachine(machine, "stat -c %Y /proc/1")
        try await onHost(
            """
            set -e
            cd \(folder(of: machine))
            truncate -s \(size) disk.img
            mkfs.ext4 -q -m 0 -E lazy_itable_init=1,nodiscard disk.img
            mkdir disk
            mount -o loop disk.img disk
            for part in containerd kubelet opt; do
                mkdir disk/$part
                mount --bind disk/$part $part
            done
            """)
        try await begin(.reboot, on: machine)
        _ = try await CommandRun.eventually(within: .seconds(60), "\(machine) to start with its disk") {
            _ = try await onMachine(
                machine, "[ $(stat -c %Y /proc/1) != \(started.trimmed) ] && grep -q ' /var/lib/containerd ext4' /proc/mounts")
        }
    }

    private static func signalAll(_ signal: String, _ machine: String) -> String {
        """
        for group in /sys/fs/cgroup/freezer/machine-\(machine) /sys/fs/cgroup/machine-\(machine); do
            [ -d $group ] || continue
            for process in $(find $group -name cgroup.procs -exec cat {} + | sort -u); do kill -\(signal) $process 2>/dev/null; done
        done; true
        """
    }

    /// Where the lab keeps what is on it.
    private func folder(of machine: String) -> String {
        let kubeconfig = host.environment["KUBECONFIG"] ?? ""
        return kubeconfig.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/machines/\(machine)"
    }
}

extension String {
    fileprivate var trimmed: String { String(prefix { !$0.isNewline }) }
}
