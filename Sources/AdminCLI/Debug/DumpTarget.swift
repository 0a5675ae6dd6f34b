import ArgumentParser
import Foundation
import Subprocess

/// Where a dump ends up: an archive, or a folder. It grows in a folder beside that, and gets its name when it is whole.
struct DumpTarget: Sendable {
    /// As it was asked for.
    let output: String
    /// Where it grows.
    let folder: String
    private let whole: String
    private let work: String
    private let isArchive: Bool

    init(_ output: String) throws {
        let url = URL(fileURLWithPath: output.count > 1 && output.hasSuffix("/") ? String(output.dropLast()) : output)
        let (parent, name) = (url.deletingLastPathComponent().path, url.lastPathComponent)
        guard !FileManager.default.fileExists(atPath: url.path) else {
            throw CommandFailure("\(output) is there already: name another, or remove it", exitCode: .validationFailure)
        }
        guard FileManager.default.isWritableFile(atPath: parent) else {
            throw CommandFailure("\(parent) is no folder that you may write in", exitCode: .validationFailure)
        }
        let ending = [".tar.gz", ".tgz"].first { name.hasSuffix($0) && name != $0 }
        self.output = output
        whole = url.path
        work = "\(parent)/.\(name).partial-\(UUID().uuidString.prefix(8))"
        folder = "\(work)/\(name.dropLast(ending?.count ?? 0))"
        isArchive = ending != nil
    }

    /// Gives it its name.
    func finish() async throws {
        guard isArchive else { return try FileManager.default.moveItem(atPath: folder, toPath: whole) }
        let archive = "\(work)/.tar.gz"
        _ = FileManager.default.createFile(atPath: archive, contents: nil, attributes: [.posixPermissions: 0o600])
        let ended = try await Subprocess.run(
            .name("tar"), arguments: ["-C", work, "-czf", archive, URL(fileURLWithPath: folder).lastPathComponent],
            output: .discarded, error: .string(limit: 1 << 16))
        try Task.checkCancellation()
        guard ended.terminationStatus.isSuccess else {
            throw CommandFailure("tar could not pack the dump: \(Rendering.oneLine(ended.standardError))")
        }
        try FileManager.default.moveItem(atPath: archive, toPath: whole)
    }

    /// Nothing is left of what is not whole.
    func removeWork() { try? FileManager.default.removeItem(atPath: work) }
}
