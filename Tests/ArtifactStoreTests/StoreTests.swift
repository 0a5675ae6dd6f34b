import KubernetesVersions
import Logging
import Synchronization
import Testing

@testable import ArtifactStore

@Suite struct StoreTests {
    private let version = KubernetesVersion(1, 36, 2)

    private func store(_ root: String, official: String? = nil, mirror: String? = nil) -> ArtifactStore {
        var settings = ArtifactStore.Settings(mirror: mirror, officialURL: official ?? "http://release.invalid", offline: official == nil)
        settings.debian = false
        settings.unreachable = UnreachableHosts()
        settings.downloader = Downloader(connectTimeout: .seconds(2), attempts: 2, firstPause: .milliseconds(5))
        return ArtifactStore(root: root, settings: settings, logger: Logger(label: "test"))
    }

    private func release(_ server: FileServer, wrong: KubernetesBinary? = nil) {
        server.change { state in
            for binary in KubernetesBinary.allCases {
                let path = "/release/v1.36.2/bin/linux/\(Architecture.current.rawValue)/\(binary.rawValue)"
                let bytes = Array("\(binary.rawValue) program".utf8)
                state.files[path] = bytes
                state.files["\(path).sha256"] = Array((binary == wrong ? sha256([1]) : sha256(bytes)).utf8)
            }
        }
    }

    @Test func theOfficialReleaseIsTakenAndKept() async throws {
        let server = try FileServer()
        defer { server.stop() }
        release(server)
        try await withScratch { folder in
            let store = store("\(folder)/cache", official: "\(server.url)/release/")
            let kubernetes = try await store.kubernetes(version)
            #expect(kubernetes.directory == "\(folder)/cache/kubernetes/v1.36.2/\(Architecture.current.rawValue)")
            #expect(try FileSystem.text(kubernetes.binary(.kubelet).path) == "kubelet program")
            #expect(FileSystem.isExecutable(kubernetes.binary(.kubelet).path))
            #expect(kubernetes.binary(.kubelet).sha256 == sha256(Array("kubelet program".utf8)))
            #expect(kubernetes.origin == "official release, \(server.url)/release")
            // Debian's packages were not to be had: binaries without images.
            #expect(!kubernetes.contains(KubernetesImage.kubeProxy))
            let asked = server.requests.count
            _ = try await store.kubernetes(version)
            #expect(server.requests.count == asked)
            #expect(FileSystem.names(in: "\(folder)/cache/downloads").isEmpty)
        }
    }

    @Test func aWrongChecksumStopsEverything() async throws {
        let server = try FileServer()
        defer { server.stop() }
        release(server, wrong: .kubeScheduler)
        try await withScratch { folder in
            let store = store("\(folder)/cache", official: "\(server.url)/release")
            let error = await #expect(throws: ArtifactError.self) { try await store.kubernetes(version) }
            #expect(error?.kind == .checksumMismatch)
            let there = try await store.installedKubernetes(version)
            #expect(there == nil)
            #expect(FileSystem.names(in: "\(folder)/cache/kubernetes/v1.36.2").isEmpty)
        }
    }

    @Test func eachSourceThatHasItNotIsNamed() async throws {
        let server = try FileServer()
        defer { server.stop() }
        try await withScratch { folder in
            let store = store("\(folder)/cache", official: "\(server.url)/release", mirror: "\(server.url)/mirror")
            let error = await #expect(throws: ArtifactError.self) { try await store.kubernetes(version) }
            #expect(error?.kind == .notAvailable)
            #expect(error?.message.contains("the official release: ") == true)
            #expect(error?.message.contains("the folder at \(server.url)/mirror: ") == true)
            #expect(error?.message.contains("nestbox artifacts import v1.36.2 FOLDER") == true)
        }
    }

    @Test func noInternetIsFoundOutOnce() async throws {
        let server = try FileServer()
        let url = server.url
        server.stop()
        try await withScratch { folder in
            let store = store("\(folder)/cache", official: url)
            await #expect(throws: ArtifactError.self) { try await store.kubernetes(version) }
            #expect(store.settings.unreachable.reason(url)?.contains("cannot be reached") == true)
        }
    }

    @Test func anExportServesAnotherStore() async throws {
        let server = try FileServer()
        defer { server.stop() }
        release(server)
        try await withScratch { folder in
            let first = store("\(folder)/first", official: "\(server.url)/release")
            let original = try await first.kubernetes(version)
            let written = try await first.export(to: "\(folder)/export", versions: [version])
            #expect(written.map(\.name) == ["v1.36.2"])
            for path in FileSystem.filesBelow("\(folder)/export") {
                let bytes = try FileSystem.read("\(folder)/export/\(path)")
                server.change { $0.files["/mirror/\(path)"] = bytes }
            }
            let second = store("\(folder)/second", mirror: "\(server.url)/mirror")
            let copy = try await second.kubernetes(version)
            #expect(copy.binaries.map(\.sha256) == original.binaries.map(\.sha256))
            #expect(FileSystem.isExecutable(copy.binary(.kubectl).path))
            #expect(copy.origin == original.origin)
            #expect(try await second.list().map(\.name) == ["v1.36.2"])

            try await second.removeKubernetes(version)
            #expect(try await second.list().isEmpty)
            await #expect(throws: ArtifactError.self) { try await second.removeKubernetes(version) }
            await #expect(throws: ArtifactError.self) { try await second.export(to: "\(folder)/x", versions: [version]) }
        }
    }

    @Test func damageIsFound() async throws {
        let server = try FileServer()
        defer { server.stop() }
        release(server)
        try await withScratch { folder in
            let store = store("\(folder)/cache", official: "\(server.url)/release")
            let kubernetes = try await store.kubernetes(version)
            let item = try #require(try await store.list().first)
            #expect(try await store.damagedFiles(of: item).isEmpty)
            try FileSystem.write("kubelet PROGRAM", to: kubernetes.binary(.kubelet).path)
            #expect(try await store.damagedFiles(of: item) == [kubernetes.binary(.kubelet).path])
            try FileSystem.remove(kubernetes.binary(.kubelet).path)
            await #expect(throws: ArtifactError.self) { try await store.installedKubernetes(version) }
        }
    }

    @Test func importingRefusesWhatIsNotARelease() async throws {
        try await withScratch { folder in
            let store = store("\(folder)/cache")
            let missing = await #expect(throws: ArtifactError.self) { try await store.importKubernetes(version, from: folder) }
            #expect(missing?.message.contains("has no kube-apiserver") == true)
            for binary in KubernetesBinary.allCases { try FileSystem.write("#!/bin/sh\n", to: "\(folder)/\(binary.rawValue)", mode: 0o755) }
            let script = await #expect(throws: ArtifactError.self) { try await store.importKubernetes(version, from: folder) }
            #expect(script?.message.contains("not a Linux program") == true)
            for binary in KubernetesBinary.allCases {
                try FileSystem.copy("/usr/bin/dpkg", to: "\(folder)/\(binary.rawValue)", mode: 0o755)
            }
            let other = await #expect(throws: ArtifactError.self) { try await store.importKubernetes(version, from: folder) }
            #expect(other?.message.hasPrefix("\(folder)/kube-apiserver: asked for its version, it says") == true)
        }
    }

    @Test func anEtcdBesideAReleaseIsTakenAlong() async throws {
        try await withScratch { folder in
            let store = store("\(folder)/cache")
            let source = "\(folder)/says.c"
            try FileSystem.write(
                """
                #include <stdio.h>
                #include <string.h>
                int main(int count, char **words) { puts(strstr(words[0], "etcd") ? "etcd Version: 3.6.13" : "Kubernetes \(version)"); }
                """, to: source)
            _ = try await Command.output("/usr/bin/cc", ["-static", "-o", "\(folder)/says", source], purpose: "compiling a program")
            for name in KubernetesBinary.allCases.map(\.rawValue) + ["etcd"] {
                try FileSystem.copy("\(folder)/says", to: "\(folder)/\(name)", mode: 0o755)
            }
            let image = try #require(try await store.importKubernetes(version, from: folder).etcdImage)
            #expect(image.reference == "registry.k8s.io/etcd:\(version.etcdImageTag)" && image.size > 0)

            try FileSystem.copy("/usr/bin/dpkg", to: "\(folder)/etcd", mode: 0o755)
            #expect(try await store.importKubernetes(version, from: folder).etcdImage == nil)
        }
    }

    @Test func oneAtATime() async throws {
        try await withScratch { folder in
            let layout = StoreLayout(root: folder)
            let running = Running()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await StoreLock.holding("thing", layout: layout, progress: { _ in }) {
                            running.begin()
                            await Task.yield()
                            running.end()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(running.most == 1)
        }
    }

    @Test func aFailedInstallationLeavesNothing() async throws {
        struct Stop: Error {}
        try await withScratch { folder in
            try FileSystem.createFolder("\(folder)/.place.partial-1/old")
            await #expect(throws: Stop.self) {
                try await Staging.install(at: "\(folder)/place") { partial in
                    try FileSystem.write("x", to: "\(partial)/x")
                    throw Stop()
                }
            }
            #expect(FileSystem.names(in: folder).isEmpty)
            try await Staging.install(at: "\(folder)/place") { try FileSystem.write("1", to: "\($0)/x") }
            try await Staging.install(at: "\(folder)/place") { try FileSystem.write("2", to: "\($0)/x") }
            #expect(try FileSystem.text("\(folder)/place/x") == "2")
            #expect(FileSystem.names(in: folder) == ["place"])
        }
    }
}

/// How many are inside at once, and were at most.
private final class Running: Sendable {
    private let counts = Mutex((now: 0, most: 0))
    var most: Int { counts.withLock { $0.most } }

    func begin() {
        counts.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
    }

    func end() { counts.withLock { $0.now -= 1 } }
}
