import Foundation
import Yams

/// Brings one kubeconfig's cluster, user and context into another file, replacing those of the same name.
enum KubeconfigMerge {
    static func merge(_ text: String) throws -> String {
        let path =
            Terminal.environment("KUBECONFIG")?.split(separator: ":").first.map(String.init)
            ?? (NSHomeDirectory() as NSString).appendingPathComponent(".kube/config")
        let present = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try write(try merged(present ?? "", adding: text), to: path)
        return path
    }

    /// The file appears whole, readable by its owner only.
    static func write(_ text: String, to path: String) throws {
        let temporary = "\(path).\(ProcessInfo.processInfo.processIdentifier).tmp"
        guard FileManager.default.createFile(atPath: temporary, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]),
            rename(temporary, path) == 0
        else {
            try? FileManager.default.removeItem(atPath: temporary)
            throw CommandFailure("cannot write \(path): \(String(cString: strerror(errno)))")
        }
    }

    static func merged(_ present: String, adding added: String) throws -> String {
        guard let new = try Yams.load(yaml: added) as? [String: Any] else { throw CommandFailure("the kubeconfig is not YAML") }
        var result = try Yams.load(yaml: present) as? [String: Any] ?? [:]
        for key in ["clusters", "users", "contexts"] {
            let additions = new[key] as? [[String: Any]] ?? []
            let names = Set(additions.compactMap { $0["name"] as? String })
            let kept = (result[key] as? [[String: Any]] ?? []).filter { !names.contains($0["name"] as? String ?? "") }
            result[key] = kept + additions
        }
        result["apiVersion"] = "v1"
        result["kind"] = "Config"
        result["current-context"] = new["current-context"] as? String
        return try Yams.dump(object: result, sortKeys: true)
    }
}
