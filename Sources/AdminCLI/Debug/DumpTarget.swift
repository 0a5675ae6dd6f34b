import ArgumentParser
import Foundation
import Subprocess
import SystemPackage

/// Where a dump ends up: an archive, or a folder. It grows beside that under another name, and has its own when it is whole.
struct DumpTarget: Sendable {
    /// Whole.
    let path: String
    /// Where it grows.
    let folder: String
    private let archive: String?

    init(_ output: String) throws {
        let whole = output.count > 1 && output.hasSuffix("/") ? String(output.dropLast()) : output
        let url = URL(fileURLWithPath: whole)
        let (parent, name) = (url.deletingLastPathComponent().path, url.lastPathComponent)
        let isArchive = name.hasSuffix(".tar.gz") || name.hasSuffix(".tgz")
        guard !FileManager.default.fileExists(atPath: url.path) else {
            throw CommandFailure("\(output) is there already: name another, or remove it", exitCode: .validationFailure)
        }
        guard FileManager.default.isWritableFile(atPath: parent) else {
            throw CommandFailure("\(parent) is no folder that you may write in", exitCode: .validationFailure)
        }
        let work = "\(parent)/.\(name).partial-\(UUID().uuidString.prefix(8))"
        path = output
        folder = work
        archive = isArchive ? work + ".tar.gz" : nil
    }

    /// Gives it its name.
    func finish() async throws {
        let whole = URL(fileURLWithPath: path).path
        guard let archive else { return try FileManager.default.moveItem(atPath: folder, toPath: whole) }
        _ = FileManager.default.createFile(atPath: archive, contents: nil, attributes: [.posixPermissions: 0o600])
        var top = URL(fileURLWithPath: whole).lastPathComponent
        for ending in [".tar.gz", ".tgz"] where top.hasSuffix(ending) { top = String(top.dropLast(ending.count)) }
        let parent = URL(fileURLWithPath: folder).deletingLastPathComponent().path
        let name = URL(fileURLWithPath: folder).lastPathComponent
        let ended = try await Subprocess.run(
            .name("tar"),
            arguments: ["-C", parent, "--transform", "s,^\(NSRegularExpression.escapedPattern(for: name)),\(top),", "-czf", archive, name],
            output: .discarded, error: .string(limit: 1 << 16))
        try Task.checkCancellation()
        guard ended.terminationStatus.isSuccess else {
            throw CommandFailure("tar could not pack the dump: \(Rendering.oneLine(ended.standardError))")
        }
        try FileManager.default.moveItem(atPath: archive, toPath: whole)
    }

    /// Nothing is left of what is not whole.
    func removeWork() {
        try? FileManager.default.removeItem(atPath: folder)
        if let archive { try? FileManager.default.removeItem(atPath: archive) }
    }
}
