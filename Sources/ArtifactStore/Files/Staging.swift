import Glibc

/// A folder that appears at its place whole or not at all.
enum Staging {
    /// Lets `fill` make the folder's contents beside its place, lists their checksums, and moves it there in one step.
    /// The caller holds the lock of that place, so what an earlier, killed run left beside it is swept away.
    static func install(
        at destination: String, checksums wanted: (@Sendable (String) throws -> ChecksumList)? = nil,
        fill: (_ folder: String) async throws -> Void
    ) async throws {
        let (parent, name) = split(destination)
        let partial = "\(parent)/.\(name).partial-\(getpid())"
        try await offPool {
            try FileSystem.createFolder(parent)
            for stale in FileSystem.names(in: parent) where stale.hasPrefix(".\(name).") { try FileSystem.remove("\(parent)/\(stale)") }
            try FileSystem.createFolder(partial)
        }
        do {
            try await fill(partial)
            try await offPool {
                let list = try wanted?(partial) ?? ChecksumList.of(folder: partial)
                try FileSystem.write(list.text, to: "\(partial)/\(ChecksumList.fileName)")
                if FileSystem.exists(destination) { try remove(destination) }
                try FileSystem.rename(partial, to: destination)
            }
        } catch {
            try? await offPool {
                try FileSystem.remove(partial)
                FileSystem.removeIfEmpty(parent)
            }
            throw error
        }
    }

    /// Takes a folder away in one step, then removes it.
    static func remove(_ place: String) throws {
        let (parent, name) = split(place)
        let old = "\(parent)/.\(name).old-\(getpid())"
        try FileSystem.rename(place, to: old)
        try FileSystem.remove(old)
    }

    private static func split(_ path: String) -> (parent: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}
