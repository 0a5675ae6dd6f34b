import Foundation
public import SSHClient
import Synchronization

/// OpenSSH's own server on a free port of loopback, with keys and configuration in a temporary folder, in a process namespace
/// that dies with it. Needs root. The binary is the one that `NESTBOX_SSHD` names, or the computer's, or that of Debian's
/// package, unpacked into the cache: installed, it would start a daemon.
public final class SSHServer: Sendable {
    public static let binary: String? = [ProcessInfo.processInfo.environment["NESTBOX_SSHD"], "/usr/sbin/sshd", unpacked()]
        .compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }
    /// Whether this user can run one; root, for whom it fails where there is none to be had.
    public static var isAvailable: Bool { getuid() == 0 }

    public let folder: String
    public let port: Int
    /// A user without any right beyond its own, on this server only.
    public static let plainUser = "plain"
    /// The private key that everybody's authorized_keys holds.
    public let userKey: SSHPrivateKey
    private let process = Process()

    private static func unpacked() -> String? {
        let cache =
            ProcessInfo.processInfo.environment["NESTBOX_CACHE"].flatMap { $0.isEmpty ? nil : $0 } ?? NSHomeDirectory() + "/.cache/nestbox"
        let folder = "\(cache)/test-sshd"
        let binary = "\(folder)/usr/sbin/sshd"
        if FileManager.default.isExecutableFile(atPath: binary) { return binary }
        let script = """
            set -eu
            rm -rf "$1.new"
            mkdir -p "$1.new"
            cd "$1.new"
            download() { apt-get -qq -o Acquire::Retries=3 download openssh-server libwrap0; }
            download || { apt-get -qq update && download; }
            for package in *.deb; do dpkg-deb -x "$package" .; done
            rm -f *.deb
            mv "$1.new" "$1"
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, "sh", folder]
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return nil }
        process.waitUntilExit()
        return process.terminationStatus == 0 ? binary : nil
    }

    /// - Parameter programs: scripts by name, which its users find before this computer's programs.
    public init(
        hostKeyTypes: [String] = ["ed25519"], userKeyType: [String] = ["-t", "ed25519"], programs: [String: String] = [:]
    ) async throws {
        guard let binary = Self.binary else {
            throw TestSSHServerError("there is no sshd: name one in NESTBOX_SSHD, or let apt-get download openssh-server")
        }
        folder = NSTemporaryDirectory() + "nestbox-sshd-" + UUID().uuidString
        port = try freePort()
        try FileManager.default.createDirectory(atPath: folder + "/run", withIntermediateDirectories: true)
        for type in hostKeyTypes { try await keygen(folder + "/host_\(type)", ["-t", type]) }
        try await keygen(folder + "/user", userKeyType)
        userKey = try SSHPrivateKey(String(contentsOfFile: folder + "/user", encoding: .utf8))
        let configuration =
            hostKeyTypes.map { "HostKey \(folder)/host_\($0)" } + [
                "ListenAddress 127.0.0.1:\(port)", "AuthorizedKeysFile \(folder)/user.pub", "PermitRootLogin prohibit-password",
                "PasswordAuthentication no", "KbdInteractiveAuthentication no", "UsePAM no", "StrictModes no", "PidFile none",
                "UseDNS no", "LogLevel ERROR",
            ]
        try configuration.joined(separator: "\n").appending("\n").write(toFile: folder + "/config", atomically: true, encoding: .utf8)
        try FileManager.default.createDirectory(atPath: folder + "/programs", withIntermediateDirectories: true)
        for (name, script) in programs {
            try Data(script.utf8).write(to: URL(fileURLWithPath: folder + "/programs/\(name)"))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/programs/\(name)")
        }
        // sshd wants a user of that name and a folder in /run; both exist in its mount namespace only. Root's home is another there: bash,
        // which knows that sshd has started it, would read what the developer's own ~/.bashrc says, and wait for what that waits for.
        let script = """
            set -eu
            sed 's|^\\(root:.*\\):/root:|\\1:\(folder):|' /etc/passwd > \(folder)/passwd
            grep -q ^sshd: /etc/passwd || echo sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin >> \(folder)/passwd
            echo \(Self.plainUser):x:65532:65532::/:/bin/sh >> \(folder)/passwd
            mount --bind \(folder)/passwd /etc/passwd
            \(programs.isEmpty ? "" : "mount --bind \(folder)/programs /usr/local/sbin")
            mount -t proc proc /proc
            mount --bind \(folder)/run /run
            mkdir -p -m 755 /run/sshd
            exec \(binary) -D -e -f \(folder)/config
            """
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child=KILL", "/bin/sh", "-c", script]
        var environment = ProcessInfo.processInfo.environment
        if binary.hasSuffix("/usr/sbin/sshd"), binary != "/usr/sbin/sshd" {
            // Unpacked from its package, with its libraries beside it.
            let root = binary.dropLast("/usr/sbin/sshd".count)
            environment["LD_LIBRARY_PATH"] = "\(root)/usr/lib/x86_64-linux-gnu:\(root)/lib/x86_64-linux-gnu"
        }
        process.environment = environment
        process.standardError = FileHandle.nullDevice
        try process.run()
        try await waitUntil("sshd listens on \(port)") { canConnect(to: port) }
        guard process.isRunning else { throw TestSSHServerError("sshd ended at once; port \(port) is somebody else's") }
    }

    deinit {
        if process.isRunning {
            // Not SIGTERM, which unshare ignores while it waits for its child.
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(atPath: folder)
    }

    public var target: SSHTarget { SSHTarget(host: "127.0.0.1", port: port) }

    public func hostKey(_ type: String = "ed25519") throws -> HostKey {
        guard let key = HostKey(try String(contentsOfFile: folder + "/host_\(type).pub", encoding: .utf8)) else {
            throw TestSSHServerError("host_\(type).pub holds no key")
        }
        return key
    }
}

/// Makes a key pair with ssh-keygen.
public func keygen(_ path: String, _ arguments: [String]) async throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/ssh-keygen")
    process.arguments = ["-q", "-f", path] + (arguments.contains("-N") ? [] : ["-N", ""]) + arguments
    let status = try await withCheckedThrowingContinuation { continuation in
        process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
        do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    guard status == 0 else { throw TestSSHServerError("ssh-keygen ended with \(status)") }
}

/// A TCP listener on loopback that accepts nobody by itself: connections stand, and nothing is ever said.
public final class SilentListener {
    let descriptor: Int32
    public let port: Int

    public init() throws {
        (descriptor, port) = try listener()
    }

    deinit { close(descriptor) }
}

/// A port of loopback that nobody listens on at this moment.
public func freePort() throws -> Int {
    while true {
        let (descriptor, port) = try listener()
        close(descriptor)
        if givenPorts.withLock({ $0.insert(port).inserted }) { return port }
    }
}

/// No port is given twice: of two servers that start at once, the second would take the first's answer for its own.
private let givenPorts = Mutex<Set<Int>>([])

private func listener() throws -> (Int32, Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port = try withUnsafeMutablePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            guard bind(descriptor, pointer, length) == 0, listen(descriptor, 8) == 0, getsockname(descriptor, pointer, &length) == 0 else {
                throw TestSSHServerError("no port to listen on: \(String(cString: strerror(errno)))")
            }
        }
        return Int(UInt16(bigEndian: pointer.pointee.sin_port))
    }
    return (descriptor, port)
}

private func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

/// Whether somebody listens on a port of loopback.
public func canConnect(to port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: port)
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

/// Waits until a condition holds, and fails with a sentence when it does not in time.
public func waitUntil(_ what: String, within limit: Duration = .seconds(10), _ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + limit
    while !condition() {
        guard ContinuousClock.now < deadline else { throw TestSSHServerError("not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// What kept a test from its server.
public struct TestSSHServerError: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
