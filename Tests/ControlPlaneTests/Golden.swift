import Foundation
import KubernetesAPI
import Testing

/// Files that hold what was rendered when somebody last looked. `NESTBOX_REWRITE_GOLDEN=1` writes them anew: then read the diff.
enum Golden {
    static func check(_ text: String, _ name: String, at location: SourceLocation = #_sourceLocation) throws {
        let directory = URL(fileURLWithPath: "\(#filePath)").deletingLastPathComponent().appending(path: "Golden")
        let file = directory.appending(path: name)
        if ProcessInfo.processInfo.environment["NESTBOX_REWRITE_GOLDEN"] == "1" {
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
            return
        }
        guard let expected = try? String(contentsOf: file, encoding: .utf8) else {
            Issue.record("\(name) is missing: run with NESTBOX_REWRITE_GOLDEN=1", sourceLocation: location)
            return
        }
        guard text != expected else { return }
        let pairs = zip(text.split(separator: "\n"), expected.split(separator: "\n"))
        let difference = pairs.enumerated().first { $0.element.0 != $0.element.1 }
        Issue.record(
            "\(name) differs at line \(difference.map { $0.offset + 1 } ?? -1): rendered \(difference?.element.0 ?? ""), golden \(difference?.element.1 ?? "")",
            sourceLocation: location)
    }

    /// Objects as JSON, one after the other, in their order.
    static func text(_ objects: [any KubernetesObject]) throws -> String {
        try objects.map { try JSONValue(encoding: $0).prettyText }.joined(separator: "---\n")
    }
}
