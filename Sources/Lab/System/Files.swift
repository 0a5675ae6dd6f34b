// Built as a whole module, for release, C's structures come by way of this one.
import CoreFoundation
import FoundationEssentials
import Glibc

/// The files of a lab. Every call may wait for the disk.
enum Files {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    static func createFolder(_ path: String, mode: mode_t? = nil) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw LabError("\(path): cannot make the folder: \(error)")
        }
        if let mode, chmod(path, mode) != 0 { throw LabError("\(path): cannot set its mode: \(systemError())") }
    }

    /// Written beside it and moved there, so that a reader never sees half a file.
    static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws {
        let partial = "\(path).partial"
        let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw LabError("\(path): cannot write: \(systemError())") }
        defer { close(descriptor) }
        // A file left by an interrupted run keeps its old mode.
        _ = fchmod(descriptor, mode)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw LabError("\(path): cannot write: \(systemError())") }
            rest = rest.dropFirst(written)
        }
        guard rename(partial, path) == 0 else { throw LabError("\(path): cannot put it in place: \(systemError())") }
    }

    /// Leaves a file alone that says this already: whether it was written.
    @discardableResult
    static func update(_ text: String, at path: String, mode: mode_t = 0o644) throws -> Bool {
        if try self.text(ifThere: path) == text { return false }
        try write(text, to: path, mode: mode)
        return true
    }

    static func text(_ path: String) throws -> String {
        guard let text = try text(ifThere: path) else { throw LabError("\(path): there is no such file") }
        return text
    }

    /// Nil where there is no such file.
    static func text(ifThere path: String) throws -> String? {
        // Files of /proc and /sys report no size, so they are read to their end.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR || errno == ENODEV || errno == ESRCH { return nil }
            throw LabError("\(path): cannot read: \(systemError())")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == ENODEV || errno == ESRCH { return nil }
            guard count >= 0 else { throw LabError("\(path): cannot read: \(systemError())") }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    static func decode<T: Decodable>(_ type: T.Type, ifThere path: String) throws -> T? {
        guard let text = try text(ifThere: path) else { return nil }
        do {
            return try JSONDecoder().decode(T.self, from: Data(text.utf8))
        } catch {
            throw LabError("\(path): cannot be understood: \(error)")
        }
    }

    static func encode(_ value: some Encodable, to path: String, mode: mode_t = 0o644) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let data: Data
        do {
            data = try encoder.encode(value)
        } catch {
            throw LabError("\(path): cannot be encoded: \(error)")
        }
        try write(String(decoding: data, as: UTF8.self) + "\n", to: path, mode: mode)
    }

    /// Sorted names; empty where there is no such folder.
    static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    static func isFolder(_ path: String) -> Bool {
        var facts = stat()
        return lstat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    static func modificationTime(_ path: String) throws -> Date {
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw LabError("\(path): cannot be looked at: \(systemError())") }
        return Date(timeIntervalSince1970: Double(facts.st_mtim.tv_sec) + Double(facts.st_mtim.tv_nsec) / 1e9)
    }

    static func systemError(_ code: CInt = errno) -> String { String(cString: strerror(code)) }
}
