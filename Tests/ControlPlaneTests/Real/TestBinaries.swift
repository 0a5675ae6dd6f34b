import Foundation
import KubernetesVersions

/// Kubernetes and etcd as the artifact store has them, or as `NESTBOX_TEST_KUBERNETES` names a folder of binaries.
struct TestBinaries: Sendable {
    var kubernetes: String
    var etcd: String
    var version: KubernetesVersion

    static let found: TestBinaries? = find()

    /// All folders that hold a kube-apiserver: the one that is named, then whole releases of the store for this computer, the
    /// version that tests pin first.
    static let kubernetesDirectories: [String] = {
        let given = environment["NESTBOX_TEST_KUBERNETES"].map { [$0] } ?? []
        let releases = folders("\(cache)/kubernetes").map { "\($0)/\(architecture)" }
            .filter { FileManager.default.fileExists(atPath: "\($0)/SHA256SUMS") }
        let pinned = releases.filter { $0.contains("/v1.20.2/") }
        let stored = (pinned + releases.filter { !pinned.contains($0) }).map { "\($0)/bin" }
        return (given + stored).filter { FileManager.default.isExecutableFile(atPath: "\($0)/kube-apiserver") }
    }()

    /// As the store names it.
    private static var architecture: String {
        #if arch(arm64)
            "arm64"
        #else
            "amd64"
        #endif
    }

    /// CoreDNS, which no release of Kubernetes brings: what `NESTBOX_TEST_COREDNS` names.
    static let coreDNS = environment["NESTBOX_TEST_COREDNS"].flatMap { FileManager.default.isExecutableFile(atPath: $0) ? $0 : nil }

    static func version(in directory: String) throws -> KubernetesVersion? {
        let text = try Command.runBlocking(["\(directory)/kube-apiserver", "--version"])
        return text.split(whereSeparator: \.isWhitespace).last.flatMap { KubernetesVersion($0) }
    }

    private static var environment: [String: String] { ProcessInfo.processInfo.environment }

    private static var cache: String {
        environment["NESTBOX_CACHE"].flatMap { $0.isEmpty ? nil : $0 } ?? "\(environment["HOME"] ?? "")/.cache/nestbox"
    }

    private static func find() -> TestBinaries? {
        guard let kubernetes = kubernetesDirectories.first(where: { FileManager.default.isExecutableFile(atPath: "\($0)/kubectl") }) else {
            return nil
        }
        let etcds =
            ["\(kubernetes)/etcd"] + folders("\(cache)/etcd").map { "\($0)/\(architecture)/bin/etcd" }
            + ["/usr/bin/etcd", "/usr/local/bin/etcd"]
        guard let etcd = etcds.first(where: { FileManager.default.isExecutableFile(atPath: $0) }),
            let version = try? version(in: kubernetes)
        else { return nil }
        return TestBinaries(kubernetes: kubernetes, etcd: etcd, version: version)
    }

    private static func folders(_ path: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { !$0.hasPrefix(".") }.sorted().map { "\(path)/\($0)" }
    }
}
