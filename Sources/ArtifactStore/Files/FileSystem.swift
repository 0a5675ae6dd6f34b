import FoundationEssentials
import Glibc

/// The few file operations that the store needs, with errors that name the path. They block: call them off the pool.
enum FileSystem {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
    static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 && !isDirectory(path) }

    static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    static func size(_ path: String) -> Int? {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_size) : nil
    }

    /// Where a symbolic link points; nil where the path is none.
    static func linkTarget(_ path: String) -> String? {
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            count = buffer.withMemoryRebound(to: CChar.self) { text in text.baseAddress.map { max(0, readlink(path, $0, text.count)) } ?? 0
            }
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    static func createFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw ArtifactError(.storage, "\(path): cannot make the folder: \(lastSystemError())")
        }
    }

    static func remove(_ path: String) throws {
        var info = stat()
        guard lstat(path, &info) == 0 else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw ArtifactError(.storage, "\(path): cannot remove: \(error)")
        }
    }

    static func removeIfEmpty(_ folder: String) { rmdir(folder) }

    static func copy(_ source: String, to destination: String, mode: mode_t) throws {
        var sink = try FileSink(creating: destination, mode: mode)
        try OpenFile(source, O_RDONLY).readAll { try sink.write($0) }
        guard chmod(destination, mode) == 0 else {
            throw ArtifactError(.storage, "\(destination): cannot set its mode: \(lastSystemError())")
        }
    }

    static func rename(_ source: String, to destination: String) throws {
        guard Glibc.rename(source, destination) == 0 else {
            throw ArtifactError(.storage, "cannot move \(source) to \(destination): \(lastSystemError())")
        }
    }

    /// Moves a file, with the mode it is to have.
    static func move(_ source: String, to destination: String, mode: mode_t) throws {
        guard chmod(source, mode) == 0 else { throw ArtifactError(.storage, "\(source): cannot set its mode: \(lastSystemError())") }
        if source != destination { try rename(source, to: destination) }
    }

    static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    static func link(_ target: String, at path: String) throws {
        guard symlink(target, path) == 0 else {
            throw ArtifactError(.storage, "\(path): cannot make the link: \(lastSystemError())")
        }
    }

    static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws {
        var sink = try FileSink(creating: path, mode: mode)
        try sink.write(Array(text.utf8))
    }

    static func read(_ path: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try OpenFile(path, O_RDONLY).readAll { bytes.append(contentsOf: $0) }
        return bytes
    }

    static func text(_ path: String) throws -> String { String(decoding: try read(path), as: UTF8.self) }

    /// Names in a folder, sorted; empty where there is no such folder.
    static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    /// Every file and symbolic link below a folder, relative to it, sorted.
    static func filesBelow(_ folder: String) -> [String] {
        var found: [String] = []
        func visit(_ relative: String) {
            for name in names(in: relative.isEmpty ? folder : "\(folder)/\(relative)") {
                let path = relative.isEmpty ? name : "\(relative)/\(name)"
                var info = stat()
                guard lstat("\(folder)/\(path)", &info) == 0 else { continue }
                if info.st_mode & S_IFMT == S_IFDIR { visit(path) } else { found.append(path) }
            }
        }
        visit("")
        return found.sorted()
    }

    static func digest(_ path: String) throws -> String {
        var sink = DigestSink()
        try OpenFile(path, O_RDONLY).readAll { sink.write($0) }
        return sink.hexDigest
    }
}

func getProcessID() -> Int32 { getpid() }
