import Foundation
import KubernetesAPI
import NestboxAPI
import TestKubernetes
import Testing

@testable import ControlPlane

/// A tenant's etcd, API server and controller-manager as plain processes, on the flags and keys that their pods would have.
/// Only paths and ports differ.
final class RealControlPlane {
    let binaries: TestBinaries
    let input: ControlPlaneInput
    let directory: String
    private var processes: [Process] = []
    private let ports: [Int: Int]

    /// Runs `body` with one that is not started yet, and leaves nothing of it.
    ///
    /// - Parameters:
    ///   - issued: when the certificates that it starts with were made.
    ///   - auditWebhook: what the Secret of the spec's audit webhook holds.
    static func with(
        issued: Date = Date(), auditWebhook: String? = nil, _ change: (inout HostedClusterSpec) -> Void = { _ in },
        _ body: (RealControlPlane) async throws -> Void
    ) async throws {
        let tenant = try RealControlPlane(
            try #require(TestBinaries.found), issued: issued, auditWebhook: auditWebhook, change: change)
        do {
            try await body(tenant)
        } catch {
            await tenant.stop()
            throw error
        }
        await tenant.stop()
    }

    private init(
        _ binaries: TestBinaries, issued: Date, auditWebhook: String?, change: (inout HostedClusterSpec) -> Void
    ) throws {
        self.binaries = binaries
        let cluster = Fixture.cluster(binaries.version, change)
        #expect(cluster.validate() == [])
        var input = try Fixture.input(cluster, coreDNSImage: "registry.example.net/coredns:1")
        input.auditWebhook = auditWebhook
        input.keys = try ClusterKeys.make(input.settings, now: Date()).renewed(input.settings, published: [], now: issued).keys
        self.input = input
        directory = NSTemporaryDirectory() + "nestbox-control-plane-\(UUID().uuidString)"
        ports = try Self.freePorts([
            NestboxPort.api, NestboxPort.etcdClients, NestboxPort.etcdPeers, NestboxPort.etcdMetrics, NestboxPort.controllerManager,
        ])
        try writeSecrets(of: input.keys)
        for object in try ControlPlane.pods(input) {
            switch object {
            case let map as ConfigMap:
                for (name, text) in map.data ?? [:] { try write(text, to: "etc/nestbox/configuration/\(name)") }
            case let secret as Secret:
                for (name, bytes) in secret.data ?? [:] { try write(bytes.text ?? "", to: "etc/nestbox/\(secret.name)/\(name)") }
            default: break
            }
        }
        for (name, client) in [
            ("bootstrap", try input.keys.bootstrapClient(now: Date())), ("operator", try input.keys.leaf(.operatorClient)),
            ("admin", try input.keys.adminClient(input.settings, now: Date())),
        ] {
            try write(kubeconfig(name, .certificate(client)), to: "\(name).kubeconfig")
        }
    }

    /// Where kube-apiserver looks for the tunnel's server.
    var tunnelSocket: String { "\(directory)/tunnel.sock" }

    private func writeSecrets(of keys: ClusterKeys) throws {
        for secret in try keys.secrets(input.settings) {
            for (name, bytes) in secret.data ?? [:] { try write(bytes.text ?? "", to: "etc/nestbox/\(secret.name)/\(name)") }
        }
    }

    /// Puts new certificates in the places of those that are due, as a kubelet does; which those were.
    func renew() throws -> [Leaf] {
        let (keys, renewals) = try input.keys.renewed(input.settings, published: [], now: Date())
        try writeSecrets(of: keys)
        return renewals.map(\.leaf)
    }

    /// Ends etcd and starts it again on its data.
    func restartEtcd() async throws {
        guard let index = processes.firstIndex(where: { $0.executableURL?.lastPathComponent == "etcd" }) else { return }
        let process = processes.remove(at: index)
        process.terminate()
        try await eventually("etcd has ended") { !process.isRunning }
        try startEtcd(isBootstrapped: true)
    }

    func start() async throws {
        try startEtcd()
        let pod = try ControlPlane.pods(input).compactMap { $0 as? Deployment }.first?.spec?.template?.spec
        let command = try #require(pod?.containers?.first { $0.name == APIServer.name }?.command)
        try launch("\(binaries.kubernetes)/kube-apiserver", Array(command.dropFirst()), environment: [:])
        try spawn(
            "kube-controller-manager",
            ControllerManager.arguments(input.settings).merging([
                "secure-port": "\(NestboxPort.controllerManager)"
            ]) { own, _ in own })
        try await eventually("the API server is ready") {
            try await kubectl("bootstrap", "get", "--raw", "/readyz").output == "ok"
        }
    }

    func startEtcd(isBootstrapped: Bool = false) throws {
        var input = input
        input.isBootstrapped = isBootstrapped
        let objects = ControlPlane.etcd(input)
        let state = objects.compactMap { $0 as? ConfigMap }.first?.data ?? [:]
        let set = objects.compactMap { $0 as? StatefulSet }.first
        let command = set?.spec?.template?.spec?.containers?.first?.command ?? []
        let arguments = command.dropFirst().map {
            $0.replacing("$(NAME)", with: "etcd-0").replacing("/var/lib/etcd", with: "\(directory)/data")
        }
        try launch(
            binaries.etcd, arguments,
            environment: [
                "ETCD_INITIAL_CLUSTER_STATE": state["initial-cluster-state"] ?? "",
                "ETCD_INITIAL_CLUSTER": local(state["initial-cluster"] ?? ""),
            ])
    }

    func startCoreDNS(_ corefile: String) throws {
        // It reads its file when it comes to it, and another may be started by then.
        let file = "Corefile-\(processes.count)"
        try write(corefile, to: file)
        try launch(TestBinaries.coreDNS ?? "coredns", ["-conf", "\(directory)/\(file)"], environment: [:])
    }

    /// Waits for the process that was started last; nil when it is still there after that time.
    func exitStatusOfLast(within seconds: Double) async throws -> Int32? {
        guard let process = processes.last else { return nil }
        let deadline = ContinuousClock.now + .seconds(seconds)
        while process.isRunning, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(50)) }
        return process.isRunning ? nil : process.terminationStatus
    }

    /// The program's output.
    func log(_ program: String) -> String { (try? String(contentsOfFile: "\(directory)/\(program).log", encoding: .utf8)) ?? "" }

    func kubectl(_ user: String, _ arguments: String..., input: String? = nil) async throws -> Command.Result {
        try await kubectl(user, arguments, input: input)
    }

    func kubectl(_ user: String, _ arguments: [String], input: String? = nil) async throws -> Command.Result {
        try await Command.run(
            ["\(binaries.kubernetes)/kubectl", "--kubeconfig=\(directory)/\(user).kubeconfig", "--cache-dir=\(directory)/cache"]
                + arguments,
            input: input)
    }

    /// As the operator does: server-side, by force.
    func apply(_ objects: [any KubernetesObject], as user: String) async throws {
        let list: JSONValue = ["apiVersion": "v1", "kind": "List", "items": .array(try objects.map { try JSONValue(encoding: $0) })]
        let result = try await kubectl(
            user, "apply", "--server-side", "--force-conflicts", "--field-manager=\(NestboxName.fieldManager)", "-f", "-", input: list.text)
        #expect(result.status == 0, "\(result.output)")
    }

    /// A kubeconfig of its API server.
    func kubeconfig(_ user: String, _ credential: Kubeconfig.Credential) -> String {
        Kubeconfig.inline(
            name: user, server: "https://127.0.0.1:\(ports[NestboxPort.api] ?? 0)", certificateAuthority: input.keys.cluster.certificatePEM,
            user: user, credential: credential)
    }

    /// The HTTP status that somebody without any credential gets. (kubectl would ask for a password.)
    func anonymous(_ path: String) async throws -> Int {
        let result = try await Command.run([
            "/usr/bin/curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", "\(directory)/etc/nestbox/cluster-ca/tls.crt",
            "https://127.0.0.1:\(ports[NestboxPort.api] ?? 0)\(path)",
        ])
        return Int(result.output) ?? 0
    }

    func write(_ text: String, to path: String) throws {
        let file = URL(fileURLWithPath: "\(directory)/\(path)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(local(text).utf8).write(to: file, options: .atomic)
    }

    /// Ends every process, waits for it, and removes every file.
    func stop() async {
        for process in processes.reversed() where process.isRunning { process.terminate() }
        let deadline = ContinuousClock.now + .seconds(10)
        for process in processes {
            while process.isRunning, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(20)) }
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func spawn(_ program: String, _ arguments: [String: String]) throws {
        try launch("\(binaries.kubernetes)/\(program)", Arguments.render(arguments), environment: [:])
    }

    private func launch(_ path: String, _ arguments: [String], environment: [String: String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments.map(local)
        process.environment = environment
        let log = "\(directory)/\(URL(fileURLWithPath: path).lastPathComponent).log"
        try Data().write(to: URL(fileURLWithPath: log))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        processes.append(process)
    }

    /// The same text with this directory's paths, this machine's loopback and ports that nobody else has.
    private func local(_ text: String) -> String {
        var text = text.replacing("/etc/nestbox/", with: "\(directory)/etc/nestbox/").replacing("0.0.0.0", with: "127.0.0.1")
            .replacing("https://etcd-0:", with: "https://127.0.0.1:").replacing(APIServer.tunnelSocket, with: tunnelSocket)
        for (port, free) in ports {
            text = text.replacing(":\(port)", with: ":\(free)").replacing("-port=\(port)", with: "-port=\(free)")
        }
        return text
    }

    /// Ports that were free a moment ago, all different.
    static func freePorts(_ wanted: [Int]) throws -> [Int: Int] {
        var sockets: [Int32] = []
        defer { sockets.forEach { _ = close($0) } }
        var ports: [Int: Int] = [:]
        for port in wanted {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            sockets.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let bound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
                }
            }
            try #require(bound)
            ports[port] = Int(UInt16(bigEndian: address.sin_port))
        }
        return ports
    }
}
