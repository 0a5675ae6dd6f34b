import Foundation
import SSHClient
import Testing

@testable import NodeJoin

/// What a machine had before it joined, in a folder that stands for its root.
final class OwnFoldersTests {
    private let root = NSTemporaryDirectory() + "nestbox-folders-" + UUID().uuidString

    init() throws { try FileManager.default.createDirectory(atPath: root + "/etc/nestbox", withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func run(_ script: String) async throws {
        var text = script
        for folder in ["/etc/", "/opt/", "/var/lib/", "/run/", "/usr/lib/"] {
            text = text.replacingOccurrences(of: "(?<![A-Za-z0-9.])\(folder)", with: root + folder, options: .regularExpression)
        }
        let result = try await LocalShell().run("set -eu\n\(text)", timeout: .seconds(10))
        #expect(result.status == 0, "\(result.errorText)")
    }

    private func keep() async throws {
        let step = OwnFolders.keep
        guard case .script(let script)? = step.actions.first else { return }
        try await run(script.body)
    }

    private func restore() async throws { try await run("\(CleanFiles.wipe)\n\(OwnFolders.restore)") }

    private func write(_ paths: String...) throws {
        for path in paths {
            let url = URL(fileURLWithPath: root + path)
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(path.utf8).write(to: url)
        }
    }

    /// Every file but the lists that are kept.
    private var files: [String] {
        (FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []).filter { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder) && !isFolder.boolValue
                && !path.hasPrefix("etc/nestbox/")
        }.sorted()
    }

    @Test func whatWasThereComesBackAsItWas() async throws {
        try write("/opt/cni/bin/bridge", "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db", "/run/containerd/containerd.sock")
        let before = files
        try await keep()
        #expect(!FileManager.default.fileExists(atPath: root + "/opt/cni"))
        // Cut off and done again.
        try await keep()
        try write(
            "/opt/cni/bin/bridge", "/opt/cni/bin/calico", "/etc/cni/net.d/10.conflist", "/var/lib/cni/networks/x",
            "/var/lib/containerd/nestbox/io.containerd.content.v1.content/blob", "/run/containerd/s/shim")
        for _ in 1...2 {
            try await restore()
            #expect(files == before)
        }
        #expect(!FileManager.default.fileExists(atPath: root + "/etc/cni"))
        #expect(!FileManager.default.fileExists(atPath: root + "/var/lib/containerd/nestbox"))
        #expect(!FileManager.default.fileExists(atPath: root + "/run/containerd/s"))
    }

    @Test func whatWasNotThereGoes() async throws {
        try await keep()
        try write("/opt/cni/bin/bridge", "/var/lib/containerd/nestbox/x", "/run/containerd/s/shim", "/opt/containerd/bin/x")
        try await restore()
        #expect(files == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/opt") == [])
    }

    @Test func aJoinCutOffBeforeAnythingWasSetAsideLosesNothing() async throws {
        try write("/opt/cni/bin/bridge", "/etc/nestbox/folders.before")
        try Data("\(root)/opt/cni\n".utf8).write(to: URL(fileURLWithPath: root + "/etc/nestbox/folders.before"))
        try await restore()
        #expect(files == ["opt/cni/bin/bridge"])
    }
}
