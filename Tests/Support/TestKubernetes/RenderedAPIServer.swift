import ControlPlane
import FoundationEssentials
import KubernetesAPI
import KubernetesClient

/// The kube-apiserver of a control plane's pod, on the flags and files that it would have there, as a plain process. Only paths and its
/// own address differ.
public struct RenderedAPIServer: Sendable {
    /// As the operator comes in before the cluster has any rights of its own: as somebody who may do everything.
    public let configuration: ClientConfiguration

    /// Runs `body` when it is ready; it is gone afterwards.
    public static func with(_ input: ControlPlaneInput, _ body: @Sendable (RenderedAPIServer) async throws -> Void) async throws {
        let directory = "\(FileManager.default.temporaryDirectory.path)/nestbox-rendered-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let objects = try ControlPlane.desiredState(of: input).flatMap(\.objects)
        guard let pod = objects.lazy.compactMap({ $0 as? Deployment }).first?.spec?.template?.spec,
            let container = pod.containers?.first(where: { $0.name == "kube-apiserver" }), let command = container.command
        else { throw TestKubernetesError("no kube-apiserver is rendered") }
        for mount in container.volumeMounts ?? [] {
            let volume = pod.volumes?.first { $0.name == mount.name }
            try write(files(of: volume, objects), to: directory + mount.mountPath)
        }
        let port = try await freePort()
        let arguments = command.dropFirst().map { argument in
            argument.replacing("/etc/nestbox/", with: "\(directory)/etc/nestbox/").replacing("0.0.0.0", with: "127.0.0.1")
                .replacing("-port=\(NestboxPort.api)", with: "-port=\(port)")
        }
        let admin = try input.keys.bootstrapClient(now: Date())
        let keys = input.keys
        let server = RenderedAPIServer(
            configuration: ClientConfiguration(
                server: "https://127.0.0.1:\(port)", certificateAuthority: keys.cluster.certificatePEM,
                clientCertificate: admin.certificatePEM, clientKey: admin.keyPEM, token: nil))
        let program = try await TestBinaries.find().apiServer
        try await SupervisedProcess.with(program, arguments, name: "kube-apiserver", in: directory) {
            do {
                try await server.waitUntilReady()
            } catch {
                throw TestKubernetesError("\(error): \(SupervisedProcess.lastWords("kube-apiserver", in: directory))")
            }
            try await body(server)
        }
    }

    public func withClient<Result>(
        isolation: isolated (any Actor)? = #isolation, _ body: (KubernetesClient) async throws -> Result
    ) async throws -> Result {
        try await KubernetesClient.with(configuration, logger: .quiet, body)
    }

    private func waitUntilReady() async throws {
        try await withClient { client in
            try await eventually("the rendered kube-apiserver to be ready", within: .seconds(120)) {
                (try? await client.raw(.get, path: "/readyz").status) == 200
            }
        }
    }

    private static func files(of volume: Volume?, _ objects: [any KubernetesObject]) -> [String: String] {
        if let name = volume?.secret?.secretName {
            let secret = objects.lazy.compactMap { $0 as? Secret }.first { $0.name == name }
            return (secret?.data ?? [:]).compactMapValues(\.text)
        }
        if let name = volume?.configMap?.name {
            return objects.lazy.compactMap { $0 as? ConfigMap }.first { $0.name == name }?.data ?? [:]
        }
        return [:]
    }

    private static func write(_ files: [String: String], to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
    }
}
