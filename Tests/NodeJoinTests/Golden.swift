import Foundation
import Testing

/// Files that hold what was rendered when somebody last looked. `NESTBOX_REWRITE_GOLDEN=1` writes them anew: then read the diff.
func expectGolden(_ text: String, _ name: String, at location: SourceLocation = #_sourceLocation) throws {
    let file = URL(fileURLWithPath: "\(#filePath)").deletingLastPathComponent().appending(path: "Golden").appending(path: name)
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
    let (ours, theirs) = (text.split(separator: "\n"), expected.split(separator: "\n"))
    let line = zip(ours, theirs).enumerated().first { $0.element.0 != $0.element.1 }
    Issue.record(
        "\(name) differs at line \(line.map { $0.offset + 1 } ?? -1): \(line.map { "\"\($0.element.0)\", not \"\($0.element.1)\"" } ?? "length")",
        sourceLocation: location)
}
