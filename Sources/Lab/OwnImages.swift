public import ArtifactStore
// Built as a whole module, for release, C's structures come by way of this one.
import CoreFoundation
import FoundationEssentials
import Glibc
import NestboxAPI

/// The images of Nestbox's own programs, as they were built beside this one: what the lab's host runs is this checkout.
///
/// Kept in the cache as long as the programs do not change.
public struct OwnImages: Sendable {
    let folder: String
    let cache: String

    /// - Parameter folder: where `nestbox-operator`, `nestbox-tunnel` and `nestbox-node` lie.
    public init(folder: String, cache: String) {
        self.folder = folder
        self.cache = cache
    }

    /// The folder of the program that is running.
    public static func folderOfThisProgram() throws -> String {
        let path = try ThisProgram.path()
        return String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
    }

    /// An image, and what is in it. `nestbox-node` is what the operator pushes to machines; its own image is for nodes that kubeadm joins.
    private static let contents = [
        "nestbox-operator": ["nestbox-operator", "nestbox-node"],
        "nestbox-tunnel": ["nestbox-tunnel"],
        "nestbox-node": ["nestbox-node"],
    ]

    private struct Record: Codable {
        var fingerprint: String
        var sha256: String
        var size: Int
    }

    /// Builds what changed since it was built last. Images of programs that were not built are left out.
    public func archives(note: (String) -> Void) async throws -> [ImageArchive] {
        var archives: [ImageArchive] = []
        for (name, programs) in Self.contents.sorted(by: { $0.key < $1.key }) {
            let paths = programs.map { "\(folder)/\($0)" }
            guard paths.allSatisfy(Files.isExecutable) else {
                note("no image of \(name): \(paths.filter { !Files.isExecutable($0) }.joined(separator: ", ")) was not built")
                continue
            }
            archives.append(try await archive(name, paths, note: note))
        }
        return archives
    }

    /// One of ours under the tag of each release that an operator renders: a cluster that is pinned to the one before finds it here.
    static func otherNames(of reference: String) -> Set<String> {
        let tag = ":\(Defaults.release)"
        guard reference.hasPrefix("nestbox.dev/"), reference.hasSuffix(tag) else { return [] }
        return Set(TemplateRevision.allCases.map { "\(reference.dropLast(tag.count)):\($0.release)" }).subtracting([reference])
    }

    private func archive(_ name: String, _ programs: [String], note: (String) -> Void) async throws -> ImageArchive {
        let reference = "nestbox.dev/\(name):\(Defaults.release)"
        let place = "\(cache)/own-images/\(name)-\(String(LabName.hash(folder), radix: 16))"
        let fingerprint = try await offPool { try ([reference] + programs.map(Self.fingerprint)).joined(separator: "\n") }
        let record = try await offPool { try Files.decode(Record.self, ifThere: "\(place).json") }
        if let record, record.fingerprint == fingerprint, Files.exists("\(place).tar") {
            return ImageArchive(reference: reference, path: "\(place).tar", sha256: record.sha256, size: record.size)
        }
        note("making the image \(reference)")
        let cache = self.cache
        try await offPool { try Files.createFolder("\(cache)/own-images") }
        let archive = try await ImageBuilder.executableImage(reference: reference, programs: programs).write(to: "\(place).tar")
        let fresh = Record(fingerprint: fingerprint, sha256: archive.sha256, size: archive.size)
        try await offPool { try Files.encode(fresh, to: "\(place).json") }
        return archive
    }

    /// Which file it is and when it was written: a build that changes nothing writes nothing.
    private static func fingerprint(_ path: String) throws -> String {
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw LabError("\(path): cannot be looked at: \(Files.systemError())") }
        return "\(path) \(facts.st_ino) \(facts.st_size) \(facts.st_mtim.tv_sec).\(facts.st_mtim.tv_nsec)"
    }
}
