import Foundation
import Logging
import SSHClient
import TestSSHServer

@testable import Lab
@testable import NodeJoin

/// A worker machine that boots in half a second: Debian's own root and sshd in namespaces of their own, with a disk that outlives a
/// reboot. Its systemd and its containers are stand-ins of a few lines (`Stand-ins`); everything else that a plan does there is real.
final class TestMachine: @unchecked Sendable {
    // Unchecked: a test uses it from one task at a time, but for `reboot`, which only that test's cutter calls, and waits for.
    static var isAvailable: Bool { getuid() == 0 }
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let folder = NSTemporaryDirectory() + "nestbox-machine-" + UUID().uuidString
    let port: Int
    private let rootfs: String
    private let userKey: SSHPrivateKey
    private var process: NamespacedScript?

    init() async throws {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["NESTBOX_CACHE"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory() + "/.cache/nestbox"
        rootfs = try await MachineRootfs(cache: cache).ensure { print($0) }
        port = try freePort()
        let files = FileManager.default
        for part in ["upper/root/.ssh", "upper/etc/ssh", "upper/usr/local/sbin", "work", "root", "store"] {
            try files.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        try await keygen(folder + "/user", ["-t", "ed25519"])
        userKey = try SSHPrivateKey(String(contentsOfFile: folder + "/user", encoding: .utf8))
        try files.copyItem(atPath: folder + "/user.pub", toPath: folder + "/upper/root/.ssh/authorized_keys")
        for type in ["ed25519", "ecdsa"] { try await keygen("\(folder)/upper/etc/ssh/ssh_host_\(type)_key", ["-t", type]) }
        try write("upper/etc/machine-id", UUID().uuidString.filter { $0 != "-" }.lowercased() + "\n")
        try write(
            "upper/etc/ssh/sshd_config",
            """
            HostKey /etc/ssh/ssh_host_ed25519_key
            HostKey /etc/ssh/ssh_host_ecdsa_key
            ListenAddress 127.0.0.1:\(port)
            PasswordAuthentication no
            UsePAM no
            StrictModes no
            PidFile /run/sshd.pid
            UseDNS no
            LogLevel ERROR

            """)
        for (name, text) in StandIns.ofTheMachine { try write("upper/usr/local/sbin/\(name)", text, executable: true) }
        // sshd stays in the computer's network, where the test reaches it; all that it runs is in the machine's own.
        let passwd = try String(contentsOfFile: rootfs + "/etc/passwd", encoding: .utf8)
        try write("upper/etc/passwd", passwd.replacingOccurrences(of: "root:/bin/bash", with: "root:/usr/local/sbin/shell"))
        try write("upper/etc/hosts", "127.0.0.1 localhost\n")
        try await boot()
    }

    deinit {
        switchOff()
        try? FileManager.default.removeItem(atPath: folder)
    }

    func write(_ path: String, _ text: String, executable: Bool = false) throws {
        try text.write(toFile: "\(folder)/\(path)", atomically: false, encoding: .utf8)
        if executable { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/\(path)") }
    }

    // MARK: Power

    private func boot() async throws {
        let script = """
            set -eu
            # unshare --net looks its own number up there.
            mount -t proc proc /proc
            cd \(folder)
            mount -t overlay overlay -o lowerdir=\(rootfs),upperdir=\(folder)/upper,workdir=\(folder)/work root
            mount -t proc proc root/proc
            mount --bind root/proc/sys root/proc/sys
            mount -o remount,bind,ro root/proc/sys
            mount --bind root/proc/sys/net root/proc/sys/net
            mount -o remount,bind,rw root/proc/sys/net
            mount -t tmpfs -o mode=755 tmpfs root/run
            mount -t tmpfs -o mode=755 tmpfs root/dev
            for device in null zero full random urandom; do cp -a /dev/$device root/dev/$device; done
            mkdir -p root/dev/shm root/run/sshd root/run/systemd/system root/run/units root/run/lock
            ln -s /proc/self/fd root/dev/fd
            mount -t tmpfs tmpfs root/dev/shm
            touch root/run/network
            unshare --net=root/run/network ip link set lo up
            # What plans do to links, routes and rules must stay in there.
            [ "$(nsenter --net=root/run/network readlink /proc/self/ns/net)" != "$(readlink /proc/self/ns/net)" ] || exit 1
            nsenter --net=root/run/network mount -t sysfs sysfs root/sys
            mount -t tmpfs tmpfs root/sys/fs/cgroup
            for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do mkdir root/sys/fs/cgroup/$controller; done
            exec chroot root /bin/sh -c 'nsenter --net=/run/network /usr/local/sbin/systemctl boot; exec /usr/sbin/sshd -D -e'
            """
        process = try NamespacedScript(script)
        try await waitUntil("the machine answers on \(port)") { canConnect(to: port) }
    }

    private func switchOff() {
        process?.end()
    }

    /// As after a power cut: what ran is gone, and so is all that was not on disk.
    func reboot() async throws {
        switchOff()
        try await waitUntil("the machine is off") { !canConnect(to: port) }
        try await boot()
    }

    /// A disk as it was delivered.
    func reinstall(_ snapshot: String) async throws {
        switchOff()
        for part in ["upper", "work"] { try FileManager.default.removeItem(atPath: "\(folder)/\(part)") }
        try FileManager.default.createDirectory(atPath: "\(folder)/work", withIntermediateDirectories: true)
        try await copy(snapshot, "\(folder)/upper")
        try await waitUntil("the machine is off") { !canConnect(to: port) }
        try await boot()
    }

    /// The disk as it is now, to be reinstalled from.
    func image() async throws -> String {
        let place = "\(folder)/image"
        try await copy("\(folder)/upper", place)
        return place
    }

    private func copy(_ from: String, _ to: String) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/cp")
        process.arguments = ["-a", from, to]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw TestMachineError("cp -a \(from) \(to) failed") }
    }

    // MARK: Over SSH

    func connect() async throws -> SSHMachineShell {
        SSHMachineShell(
            try await SSHConnection.connect(
                to: SSHTarget(host: "127.0.0.1", port: port), key: userKey, hostKey: .trustFirst, timeout: .seconds(10),
                logger: Self.logger))
    }

    /// Runs a shell's text there, past all plans; its output.
    @discardableResult
    func shell(_ text: String) async throws -> String {
        let shell = try await connect()
        let result = try await shell.run(text, timeout: .seconds(60))
        await shell.close()
        guard result.succeeded else { throw TestMachineError("\(text): \(result.status) \(result.errorText)") }
        return result.text
    }

    /// What the machine is like, by code of the test's own: each file with its hash, mode and owner, what is mounted, what runs, what
    /// the network is. What changes by itself is left out.
    func state(except: [String] = []) async throws -> [String] {
        let shell = try await connect()
        let result = try await shell.connection.execute(
            "/bin/sh -s",
            input: Array(
                """
                export LC_ALL=C
                cd /
                find . -xdev \\( -path ./var/log -o -path ./var/cache -o -path ./var/lib/nestbox-baseline.gz \\) -prune -o \\
                    -type f -newer /usr/local/sbin/systemctl -print0 | sort -z | xargs -0 -r sha256sum
                find . -xdev -printf '%y %M %U:%G %p %l\\n' | sort
                awk '{ print "mount", $5 }' /proc/self/mountinfo | sort
                ip -o addr | awk '{ print "address", $2, $4 }'
                ip route show table all | sed 's/^/route /'
                for process in /proc/[0-9]*; do echo "process $(tr '\\0' ' ' < $process/cmdline)"; done | grep -vE 'sshd|/bin/sh -s|process $|shell -c|^process (tr|sort|timeout|ls|awk|find) ' | sort
                ls /run /run/units | sed 's/^/run /'
                cat /proc/sys/net/ipv4/ip_forward
                """.utf8), timeout: .seconds(60), outputLimit: 8 << 20)
        await shell.close()
        guard result.succeeded, !result.truncated else { throw TestMachineError("its state: \(result.errorText)") }
        return result.text.split(separator: "\n").map(String.init).filter { line in
            !(except + ["ssh_host_", "./run/", "nestbox-plan.lock", "nestbox-baseline.gz", "run mount"]).contains { line.contains($0) }
        }
    }
}

struct TestMachineError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
