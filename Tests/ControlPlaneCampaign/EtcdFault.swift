import TestCampaign
import TestCommands

/// What can happen to etcd's members.
enum EtcdFault: String, Sendable, CaseIterable {
    case kill = "kill one"
    case killAll = "kill all"
    case wipe = "wipe one"
    case corrupt = "corrupt one"
    case cut = "cut one off"
    case fill = "fill one's disk"

    /// As many of each kind as of any other, in an order of their own: a schedule that a seed decides. Pure.
    static func schedule(_ count: Int, using generator: inout SeededGenerator) -> [(fault: EtcdFault, member: Int)] {
        var faults: [EtcdFault] = []
        while faults.count < count { faults += allCases.shuffled(using: &generator) }
        return faults.prefix(count).map { ($0, Int.random(in: 0..<3, using: &generator)) }
    }
}

/// Breaks etcd's members, in a lab whose host has the embedded node alone.
struct EtcdBreaker: Sendable {
    let lab: LabRun
    /// Of the control plane.
    let namespace: String

    /// Makes it happen, and good again what does not end by itself; the operator and Kubernetes do the rest.
    func cause(_ fault: EtcdFault, to member: Int) async throws {
        switch fault {
        case .kill: try await kill([member])
        case .killAll: try await kill([0, 1, 2])
        case .wipe: try await whileStopped(member, "rm -rf $volume/data")
        case .corrupt:
            try await whileStopped(
                member, "dd if=/dev/urandom of=$volume/data/member/snap/db bs=4096 seek=2 count=64 conv=notrunc status=none")
        case .cut: try await cut(member)
        case .fill: try await fill(member)
        }
    }

    private func kill(_ members: [Int]) async throws {
        try await lab.onHost(members.map { "for process in \(Self.processes($0)); do kill -KILL $process; done" }.joined(separator: "\n"))
        try await renew(members)
    }

    /// A process that dies again and again is waited with for minutes; a pod that is made anew is not.
    private func renew(_ members: [Int]) async throws {
        try await lab.host.kubectl(
            ["-n", namespace, "delete", "pod"] + members.map { "etcd-\($0)" }
                + ["--grace-period=0", "--force", "--wait=false", "--ignore-not-found"])
    }

    /// Changes a member's files under it, and lets it find them.
    private func whileStopped(_ member: Int, _ change: String) async throws {
        try await lab.onHost(
            """
            set -e
            volume=\(try await volume(of: member))
            for process in \(Self.processes(member)); do kill -STOP $process; done
            \(change)
            for process in \(Self.processes(member)); do kill -KILL $process; done
            """)
        try await renew([member])
    }

    private func cut(_ member: Int) async throws {
        let address = try await lab.host.kubectl(
            "-n", namespace, "get", "pod", "etcd-\(member)", "-o", "jsonpath={.status.podIP}")
        guard !address.isEmpty else { return }
        func rules(_ verb: String) -> String {
            "iptables -w -t mangle -\(verb) FORWARD -s \(address) -j DROP; iptables -w -t mangle -\(verb) FORWARD -d \(address) -j DROP"
        }
        try await lab.onHost(rules("I"))
        do {
            try await Task.sleep(for: .seconds(25))
            try await lab.onHost(rules("D"))
        } catch {
            try await lab.onHost(rules("D"))
            throw error
        }
    }

    /// Moves a member to a disk that has just room for it, fills that, and gives it its old disk again with what it wrote.
    private func fill(_ member: Int) async throws {
        let volume = try await volume(of: member)
        try await lab.onHost(
            """
            set -e
            volume=\(volume)
            for process in \(Self.processes(member)); do kill -STOP $process; done
            rm -f $volume.img
            truncate -s 1G $volume.img
            mkfs.ext4 -q -m 0 -E lazy_itable_init=1,nodiscard $volume.img
            mkdir -p $volume.disk
            # A pod's mount of the old folder would share what is mounted on it from now on, and take it along when it is unmounted.
            for mount in $(awk -v "name=/${volume##*/}" '$5 ~ name "$" {print $5}' /proc/self/mountinfo); do
                mount --make-private $mount
            done
            mount -o loop $volume.img $volume.disk
            cp -a $volume/. $volume.disk/
            chmod 777 $volume.disk
            mount --move $volume.disk $volume || { mount --bind $volume.disk $volume; umount -l $volume.disk; }
            rmdir $volume.disk 2>/dev/null || true
            for process in \(Self.processes(member)); do kill -KILL $process; done
            """)
        try await renew([member])
        do {
            try await Task.sleep(for: .seconds(20))
            try await lab.onHost(
                """
                # Never the computer's own.
                mountpoint -q \(volume) || { echo "there is no disk at \(volume)" >&2; exit 1; }
                for file in 1 2 3; do
                    left=$(df --output=avail -B1024 \(volume) | tail -1)
                    [ $left -gt 64 ] || break
                    fallocate -l ${left}K \(volume)/filler-$file 2>/dev/null || dd if=/dev/zero of=\(volume)/filler-$file bs=64K status=none || true
                done; true
                """)
            try await Task.sleep(for: .seconds(25))
        } catch {
            try await empty(member, volume)
            throw error
        }
        try await empty(member, volume)
    }

    private func empty(_ member: Int, _ volume: String) async throws {
        try await lab.onHost(
            """
            volume=\(volume)
            mountpoint -q $volume || exit 0
            for process in \(Self.processes(member)); do kill -STOP $process; done
            rm -f $volume/filler-*
            mkdir -p $volume.kept
            cp -a $volume/. $volume.kept/
            umount -l $volume
            rm -rf $volume/data $volume.img
            [ ! -d $volume.kept/data ] || mv $volume.kept/data $volume/data
            rm -rf $volume.kept
            for process in \(Self.processes(member)); do kill -KILL $process; done
            true
            """)
        try await renew([member])
    }

    private func volume(of member: Int) async throws -> String {
        let name = try await lab.host.kubectl(
            "-n", namespace, "get", "pvc", "data-etcd-\(member)", "-o", "jsonpath={.spec.volumeName}")
        let kubeconfig = lab.host.environment["KUBECONFIG"] ?? ""
        return kubeconfig.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/volumes/\(name)"
    }

    /// A shell's words for a member's processes.
    private static func processes(_ member: Int) -> String { "$(pgrep -f -- '^etcd .*--name=etcd-\(member)( |$)')" }
}
