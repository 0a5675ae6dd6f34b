import Foundation
import KubernetesAPI
import Synchronization

/// Where a dump grows: a folder of this user's alone, of bounded size, and a list of what is not in it.
///
/// Everything that is written goes through the redaction, which knows more with each Secret that was read: those come first.
final class DumpFolder: Sendable {
    private struct State {
        var redaction = Redaction()
        var room: Int
        var missing: [String] = []
    }

    let path: String
    private let state: Mutex<State>

    /// - Parameter most: bytes of all files together.
    init(path: String, most: Int) throws {
        self.path = path
        state = Mutex(State(room: most))
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    var missing: [String] { state.withLock { $0.missing } }

    /// Says what could not be got, and why.
    func miss(_ what: String, _ why: String) {
        state.withLock { $0.missing.append("\(what): \($0.redaction.text(Rendering.oneLine(why)))") }
    }

    func learn(from secrets: [JSONValue]) {
        state.withLock { state in
            for secret in secrets {
                for (key, value) in SecretFacts.values(of: secret) { state.redaction.learn(value, key: key) }
            }
        }
    }

    func write(_ text: String, to file: String) { put(state.withLock { $0.redaction }.text(text), in: file) }

    /// Objects one after the other, as kubectl takes them.
    func write(_ objects: [JSONValue], to file: String) {
        guard !objects.isEmpty else { return }
        let redaction = state.withLock { $0.redaction }
        do {
            put(try objects.map { try Rendering.yaml(redaction.object($0)) }.joined(separator: "---\n"), in: file)
        } catch {
            miss(file, "it cannot be written as YAML: \(error)")
        }
    }

    private func put(_ text: String, in file: String) {
        let bytes = Data(text.utf8)
        let hasRoom = state.withLock { state in
            guard bytes.count <= state.room else { return false }
            state.room -= bytes.count
            return true
        }
        guard hasRoom else { return miss(file, "its \(bytes.count) bytes would make the dump larger than it may be") }
        let path = "\(path)/\(file)"
        do {
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            guard FileManager.default.createFile(atPath: path, contents: bytes, attributes: [.posixPermissions: 0o600]) else {
                throw CocoaError(.fileWriteUnknown)
            }
        } catch {
            miss(file, "it cannot be written: \(error.localizedDescription)")
        }
    }
}
