import Foundation
import TestCommands

/// The Kubernetes that the end-to-end line's tenant runs, where `NESTBOX_TEST_KUBERNETES` names a folder of binaries: in a store of the
/// test's own, into which they are imported.
///
/// What the user's store has is shared with it by hard links (but for the machines' root), which cost nothing, since nothing in a store is changed once it is there;
/// so the user's store gets no release that it did not have, and one of the same version that it has is neither used nor replaced. The
/// store has a place of its own inside the user's, which the next run finds and clears when this one is killed.
struct TestKubernetes {
    let folder: String
    let version: String
    let cache: String
    private let shared: String

    /// Whether a folder is named.
    static var isGiven: Bool { namedFolder != nil }

    private static var namedFolder: String? {
        ProcessInfo.processInfo.environment["NESTBOX_TEST_KUBERNETES"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Nil where no folder is named.
    static func find(_ host: CommandRun) async throws -> TestKubernetes? {
        let environment = ProcessInfo.processInfo.environment
        guard let folder = namedFolder else { return nil }
        // Kubernetes v1.36.2
        let said = try await host.run("\(folder)/kube-apiserver", ["--version"])
        guard let version = said.split(whereSeparator: \.isWhitespace).last.map(String.init), version.hasPrefix("v") else {
            throw CommandRun.Failed(description: "\(folder)/kube-apiserver --version says \"\(said)\", which names no version")
        }
        let named = environment["NESTBOX_CACHE"].flatMap { $0.isEmpty ? nil : $0 }
        let shared = named ?? "\(environment["HOME"] ?? "/root")/.cache/nestbox"
        return TestKubernetes(folder: folder, version: version, cache: "\(shared)/end-to-end", shared: shared)
    }

    func fill(_ host: CommandRun) async throws {
        try remove()
        try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
        for item in ["debian", "etcd", "images", "kubernetes", "lab-rootfs", "node-tools"] {
            guard FileManager.default.fileExists(atPath: "\(shared)/\(item)") else { continue }
            // Machines of the user's own labs look out of this root, and a link, made or removed, is a change of their files (ctime).
            let link = item == "lab-rootfs" ? [] : ["--link"]
            try await host.run("cp", ["--archive"] + link + ["\(shared)/\(item)", "\(cache)/\(item)"])
        }
        try await host.nestbox("artifacts", "import", version, folder)
    }

    /// A release of these very programs with another patch version in place of theirs, for what an upgrade moves.
    func addStamp(_ host: CommandRun, of stamp: String) async throws {
        guard stamp.utf8.count == version.utf8.count else {
            throw CommandRun.Failed(description: "\(version) cannot be written over by \(stamp), which is of another length")
        }
        let copy = "\(cache)/stamped"
        try await host.run("cp", ["--recursive", folder, copy])
        let pattern = version.replacingOccurrences(of: ".", with: "\\.")
        try await host.shell("LC_ALL=C sed -i 's/\(pattern)/\(stamp)/g' '\(copy)'/*")
        try await host.nestbox("artifacts", "import", stamp, copy)
        try FileManager.default.removeItem(atPath: copy)
    }

    func remove() throws {
        guard FileManager.default.fileExists(atPath: cache) else { return }
        try FileManager.default.removeItem(atPath: cache)
    }
}
