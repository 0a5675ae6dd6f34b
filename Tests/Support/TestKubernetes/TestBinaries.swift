import ArtifactStore
import FoundationEssentials
import KubernetesVersions
import Logging

/// The programs that a test server is made of.
public struct TestBinaries: Sendable {
    public var etcd: String
    public var apiServer: String
    /// Nil where there is none.
    public var kubectl: String?
    public var version: KubernetesVersion?

    /// The version tests run with, unless `NESTBOX_TEST_KUBERNETES` names a folder of other binaries.
    public static let pinned = KubernetesVersion(1, 20, 2)

    /// Finds them in `NESTBOX_TEST_KUBERNETES`, or else in the artifact store.
    public static func find(environment: [String: String] = ProcessInfo.processInfo.environment) async throws -> TestBinaries {
        let store = ArtifactStore(logger: Logger(label: "test"))
        if let folder = environment["NESTBOX_TEST_KUBERNETES"], !folder.isEmpty {
            guard let apiServer = program("kube-apiserver", in: folder) else {
                throw TestKubernetesError("NESTBOX_TEST_KUBERNETES is \(folder), and there is no kube-apiserver in it")
            }
            return TestBinaries(
                etcd: try await etcd(beside: folder, store), apiServer: apiServer, kubectl: program("kubectl", in: folder))
        }
        guard let kubernetes = try await store.installedKubernetes(pinned), kubernetes.contains(KubernetesBinary.kubeAPIServer) else {
            throw TestKubernetesError(
                "the artifact store \(store.root) has no Kubernetes \(pinned) to test with: run `nestbox artifacts get \(pinned)`, "
                    + "or name a folder with kube-apiserver in NESTBOX_TEST_KUBERNETES, "
                    + "or set NESTBOX_TEST_SKIP_INTEGRATION=1 to do without")
        }
        return TestBinaries(
            etcd: try await etcd(beside: nil, store), apiServer: kubernetes.binary(.kubeAPIServer).path,
            kubectl: kubernetes.contains(KubernetesBinary.kubectl) ? kubernetes.binary(.kubectl).path : nil, version: pinned)
    }

    private static func etcd(beside folder: String?, _ store: ArtifactStore) async throws -> String {
        if let folder, let there = program("etcd", in: folder) { return there }
        return try await store.etcd().etcd.path
    }

    private static func program(_ name: String, in folder: String) -> String? {
        ["\(folder)/\(name)", "\(folder)/bin/\(name)"].first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Whether integration tests are to run: always, unless they were declined and there is nothing to run them with.
    static func areWanted() async -> Bool {
        guard ProcessInfo.processInfo.environment["NESTBOX_TEST_SKIP_INTEGRATION"] == "1" else { return true }
        return (try? await find()) != nil
    }
}
