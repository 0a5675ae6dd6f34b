import ArgumentParser
import Foundation
import KubernetesAPI
import Yams

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, wide, json, yaml, name
}

/// What `get` does with any kind.
struct OutputOptions: ParsableArguments {
    @Option(name: [.customShort("o"), .customLong("output")], help: "table, wide, json, yaml or name.")
    var format: OutputFormat = .table

    @Option(name: [.customShort("l"), .customLong("selector")], help: "Labels to select by, such as env=prod.")
    var selector: String?

    @Flag(name: [.customShort("A"), .long], help: "All namespaces.")
    var allNamespaces = false

    @Flag(name: [.short, .long], help: "Go on watching after the list.")
    var watch = false
}

/// A column of a table: its heading, whether it is shown only with `-o wide`, and how to read it off an object.
struct Column<T: KubernetesObject> {
    var heading: String
    var wide = false
    var value: @Sendable (T) -> String
}

enum Rendering {
    static func table(_ rows: [[String]]) -> String {
        guard let columns = rows.first?.count else { return "" }
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { index, cell in
                index == columns - 1 ? cell : cell.padding(toLength: widths[index] + 3, withPad: " ", startingAt: 0)
            }.joined() + "\n"
        }.joined()
    }

    static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    static func yaml(_ value: some Encodable) throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.sortKeys = true
        return try encoder.encode(value)
    }

    /// kubectl's age: `12s`, `5m`, `3h`, `4d`.
    static func age(_ timestamp: String?, now: Date = Date()) -> String {
        guard let timestamp, let date = try? Date(timestamp, strategy: .iso8601) else { return "<unknown>" }
        let seconds = max(0, Int(now.timeIntervalSince(date)))
        return switch seconds {
        case ..<120: "\(seconds)s"
        case ..<7200: "\(seconds / 60)m"
        case ..<172_800: "\(seconds / 3600)h"
        default: "\(seconds / 86400)d"
        }
    }
}

extension Rendering {
    /// The `gitVersion` of what `/version` answers.
    static func decodeVersion(_ body: [UInt8]) throws -> String {
        try JSONDecoder().decode(JSONValue.self, from: Data(body))["gitVersion"]?.string ?? "unknown"
    }
}
