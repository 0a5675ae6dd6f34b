import FoundationEssentials
import KubernetesVersions
import Logging
import Testing

@testable import Lab

/// A folder of the test's own.
struct TemporaryFolder {
    let path: String

    init() throws {
        path = "\(FileManager.default.temporaryDirectory.path)/nestbox-lab-\(UUID().uuidString)"
        try Files.createFolder(path)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

extension Logger {
    /// For what a test does not want to see.
    static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension HostConfiguration {
    static func fixture(_ version: KubernetesVersion = KubernetesVersion(1, 20, 2), node number: Int = 1, of count: Int = 1) throws
        -> HostConfiguration
    {
        let addresses = try #require(AddressPlan(slot: 0))
        let node = HostNode.all(count, embedded: "nestbox-demo", in: addresses)[number - 1]
        let paths = LabPaths(cache: "/cache", name: try LabName("demo"))
        return HostConfiguration(
            addresses: addresses, version: version, node: node, paths: paths,
            certificates: HostCertificates(folder: paths.pki, addresses: addresses, node: node), cniPlugins: "/tools/cni",
            pauseImage: "registry.k8s.io/pause:3.9")
    }
}

extension HostComponents {
    static func fixture(_ version: KubernetesVersion = KubernetesVersion(1, 20, 2)) throws -> HostComponents {
        HostComponents(
            configuration: try .fixture(version), etcd: "/etcd/bin/etcd", containerd: "/tools/bin/containerd",
            kubernetes: { "/kubernetes/bin/\($0)" })
    }
}

extension LabSpec {
    static func fixture() throws -> LabSpec {
        let plan = try #require(AddressPlan(slot: 0))
        return LabSpec(
            name: try LabName("demo"), addresses: plan, version: KubernetesVersion(1, 20, 2), components: try HostComponents.fixture().all,
            environment: ["PATH": "/bin"], rootfs: "/rootfs", machines: [.numbered(1, in: plan), .numbered(2, in: plan)])
    }
}
