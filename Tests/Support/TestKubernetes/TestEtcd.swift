import ControlPlane
import Foundation
import KubernetesAPI

/// Real etcd members on loopback, with TLS both ways, for integration tests: each is started, stopped, wiped and damaged as the test likes.
public actor TestEtcd {
    /// What an etcd without data may become.
    public enum Beginning: Sendable {
        case new([Int])
        case joining([Int])
        /// Nothing: it refuses to start.
        case closed
    }

    public nonisolated let authority: CertificateAuthority
    /// A client's.
    public nonisolated let client: IssuedCertificate
    public nonisolated let directory: String
    private nonisolated let program: String
    /// By ordinal: for clients, for peers.
    private nonisolated let ports: [(client: Int, peer: Int)]
    private nonisolated let quota: Int
    private var processes: [Int: Process] = [:]
    /// Held open: a member is killed when this process is gone.
    private var pipes: [Int: Pipe] = [:]

    /// Runs `body` with members to be started; all is gone afterwards.
    public static func with(members: Int, quota: Int = 0, _ body: (TestEtcd) async throws -> Void) async throws {
        let etcd = try await TestEtcd(members: members, quota: quota)
        do {
            try await body(etcd)
        } catch {
            await etcd.end()
            throw error
        }
        await etcd.end()
    }

    private init(members: Int, quota: Int) async throws {
        program = try await TestBinaries.find().etcd
        self.quota = quota
        var ports: [(client: Int, peer: Int)] = []
        for _ in 0..<members { ports.append((try await freePort(), try await freePort())) }
        self.ports = ports
        directory = "\(FileManager.default.temporaryDirectory.path)/nestbox-etcd-\(UUID().uuidString.prefix(8).lowercased())"
        authority = try CertificateAuthority(commonName: "etcd-ca", lifetime: 3600 * 24, now: Date())
        client = try authority.issue(CertificateRequest(commonName: "operator", usages: [.client], lifetime: 3600 * 24), now: Date())
        let server = try authority.issue(
            CertificateRequest(
                commonName: "etcd", dnsNames: ["localhost"] + (0..<members).map(NestboxName.etcdMember), ipAddresses: ["127.0.0.1"],
                usages: [.server, .client], lifetime: 3600 * 24), now: Date())
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for (name, text) in ["ca.crt": authority.certificatePEM, "tls.crt": server.certificatePEM, "tls.key": server.keyPEM] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
        }
    }

    public nonisolated func url(_ member: Int) -> String { "https://127.0.0.1:\(ports[member].client)" }

    public nonisolated func peerURL(_ member: Int) -> String { "https://127.0.0.1:\(ports[member].peer)" }

    public nonisolated func dataDirectory(_ member: Int) -> String { "\(directory)/data-\(member)" }

    // MARK: A member's life

    public func start(_ member: Int, _ beginning: Beginning) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments =
            ["-c", SupervisedProcess.supervisor, "etcd", log(member), "\(directory)/\(member).pid", program] + arguments(member)
        process.environment = ["PATH": "/usr/bin:/bin"].merging(environment(beginning)) { _, new in new }
        let pipe = Pipe()
        process.standardInput = pipe
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try? FileManager.default.removeItem(atPath: "\(directory)/\(member).pid")
        try process.run()
        processes[member] = process
        pipes[member] = pipe
    }

    /// As a crash of its node does.
    public func kill(_ member: Int) async {
        guard let process = processes.removeValue(forKey: member), let pipe = pipes.removeValue(forKey: member) else { return }
        try? pipe.fileHandleForWriting.close()
        while process.isRunning { try? await Task.sleep(for: .milliseconds(10)) }
    }

    public func isRunning(_ member: Int) -> Bool {
        guard processes[member]?.isRunning == true else { return false }
        guard let pid = try? String(contentsOfFile: "\(directory)/\(member).pid", encoding: .utf8).trimmingCharacters(in: .newlines) else {
            return true
        }
        guard let stat = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return false }
        return !String(decoding: stat, as: UTF8.self).contains(") Z ")
    }

    /// Of one that is not running.
    public func wipe(_ member: Int) throws {
        guard FileManager.default.fileExists(atPath: dataDirectory(member)) else { return }
        try FileManager.default.removeItem(atPath: dataDirectory(member))
    }

    /// Writes nonsense over the middle of the log of one that is not running.
    public func damage(_ member: Int) throws {
        let folder = "\(dataDirectory(member))/member/wal"
        guard let name = try FileManager.default.contentsOfDirectory(atPath: folder).filter({ $0.hasSuffix(".wal") }).min(),
            let handle = FileHandle(forWritingAtPath: "\(folder)/\(name)")
        else { throw TestKubernetesError("\(folder) has no log") }
        try handle.seek(toOffset: 100)
        try handle.write(contentsOf: Data((0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }))
        try handle.close()
    }

    /// What a kubelet would put into a container's status: the end of the log.
    public nonisolated func lastWords(_ member: Int) -> String {
        String(decoding: (FileManager.default.contents(atPath: log(member)) ?? Data()).suffix(2048), as: UTF8.self)
    }

    private nonisolated func log(_ member: Int) -> String { "\(directory)/\(member).log" }

    private func end() async {
        for member in processes.keys { await kill(member) }
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: Its flags

    private func arguments(_ member: Int) -> [String] {
        let files = ["cert-file": "tls.crt", "key-file": "tls.key", "trusted-ca-file": "ca.crt"].flatMap { flag, file in
            ["--\(flag)=\(directory)/\(file)", "--peer-\(flag)=\(directory)/\(file)"]
        }
        return [
            "--name=\(NestboxName.etcdMember(member))", "--data-dir=\(dataDirectory(member))", "--listen-client-urls=\(url(member))",
            "--advertise-client-urls=\(url(member))", "--listen-peer-urls=\(peerURL(member))",
            "--initial-advertise-peer-urls=\(peerURL(member))", "--initial-cluster-token=test", "--client-cert-auth=true",
            "--peer-client-cert-auth=true", "--quota-backend-bytes=\(quota)",
        ] + files
    }

    private func environment(_ beginning: Beginning) -> [String: String] {
        func list(_ members: [Int]) -> String { members.map { "\(NestboxName.etcdMember($0))=\(peerURL($0))" }.joined(separator: ",") }
        return switch beginning {
        case .new(let members): ["ETCD_INITIAL_CLUSTER_STATE": "new", "ETCD_INITIAL_CLUSTER": list(members)]
        case .joining(let members): ["ETCD_INITIAL_CLUSTER_STATE": "existing", "ETCD_INITIAL_CLUSTER": list(members)]
        case .closed: ["ETCD_INITIAL_CLUSTER_STATE": "existing", "ETCD_INITIAL_CLUSTER": "nobody=https://nobody:2380"]
        }
    }
}
