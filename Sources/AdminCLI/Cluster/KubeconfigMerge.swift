import Foundation
import Glibc
import Yams

/// Brings one kubeconfig's cluster, user and context into another file, replacing those of the same name.
///
/// Not KubernetesClient's `Kubeconfig.merge`, which reads several files as one and knows only the fields that it needs: what this
/// writes is the person's own file, and every field in it stays, known or not, as it was written.
enum KubeconfigMerge {
    struct Result {
        var path: String
        var current: String
        /// The current context before, when it was another.
        var before: String?
    }

    static func merge(_ text: String) throws -> Result {
        let named =
            Terminal.environment("KUBECONFIG")?.split(separator: ":").first.map(String.init)
            ?? (NSHomeDirectory() as NSString).appendingPathComponent(".kube/config")
        // The file itself where the name is a link: the link stays.
        let path = URL(fileURLWithPath: named).resolvingSymlinksInPath().path
        let present = try read(path)
        let folder = (path as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure("cannot make the folder \(folder): \(error.localizedDescription)")
        }
        let result = try merged(present, of: path, adding: text)
        try write(result.text, to: path)
        return Result(path: path, current: result.current, before: result.before == result.current ? nil : result.before)
    }

    /// Empty where there is no file; one that is there and cannot be read is not to be written over.
    static func read(_ path: String) throws -> String {
        guard access(path, F_OK) == 0 || errno != ENOENT && errno != ENOTDIR else { return "" }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(
                "cannot read \(path), which the cluster's kubeconfig is to be merged into: make it yours, or name another in $KUBECONFIG")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The file appears whole, and readable by its owner only from the beginning.
    static func write(_ text: String, to path: String) throws {
        let temporary = "\(path).\(ProcessInfo.processInfo.processIdentifier).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw CommandFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
        do {
            let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
            try file.write(contentsOf: Data(text.utf8))
            try file.close()
            guard rename(temporary, path) == 0 else { throw CommandFailure(String(cString: strerror(errno))) }
        } catch {
            unlink(temporary)
            throw CommandFailure("cannot write \(path): \((error as? CommandFailure)?.description ?? error.localizedDescription)")
        }
    }

    /// On YAML's nodes and not on Swift values: `token: 0777` is a text, whatever a YAML reader would take it for.
    static func merged(
        _ present: String, of path: String, adding added: String
    ) throws -> (text: String, current: String, before: String?) {
        let new = try mapping(added, of: "the cluster's kubeconfig")
        guard let current = new["current-context"]?.string else { throw CommandFailure("the cluster's kubeconfig has no current-context") }
        var result = try mapping(present, of: path)
        for key in ["clusters", "users", "contexts"] {
            let additions = new[key].flatMap(\.sequence).map(Array.init) ?? []
            let names = Set(additions.compactMap { $0["name"]?.string })
            let kept = (result[key].flatMap(\.sequence).map(Array.init) ?? []).filter { !names.contains($0["name"]?.string ?? "") }
            result[key] = Node(kept + additions)
        }
        let before = result["current-context"]?.string
        result["apiVersion"] = Node("v1")
        result["kind"] = Node("Config")
        result["current-context"] = new["current-context"]
        return (try Yams.serialize(node: .mapping(result)), current, before.flatMap { $0.isEmpty ? nil : $0 })
    }

    /// The text of an error of YAML's is left out, for it shows lines, and those may hold keys.
    private static func mapping(_ text: String, of path: String) throws -> Node.Mapping {
        guard let node = try? Yams.compose(yaml: text) else {
            if text.allSatisfy(\.isWhitespace) { return Node.Mapping([]) }
            throw CommandFailure("\(path) is not YAML: mend it, or move it away")
        }
        guard let mapping = node.mapping else { throw CommandFailure("\(path) is not a kubeconfig: mend it, or move it away") }
        return mapping
    }
}
