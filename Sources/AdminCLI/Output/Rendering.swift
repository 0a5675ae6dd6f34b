import Foundation
import KubernetesAPI
import Yams

enum Rendering {
    static func table(_ rows: [[String]], indent: Int = 0) -> String {
        var table = Table(indent: indent)
        return table.text(rows)
    }

    static func padded(_ text: String, to width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

    /// What stands in an object may have been written by a tenant or said by a machine: no line break and nothing that moves a
    /// terminal's cursor.
    static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
        let lines = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        return String(
            String.UnicodeScalarView(
                lines.unicodeScalars.map {
                    guard $0.properties.generalCategory == .control else { return $0 }
                    return $0 == "\t" ? " " : "\u{FFFD}"
                }))
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

    /// `hostedcluster.nestbox.dev/demo`: how kubectl names an object, and takes it.
    static func name<T: KubernetesObject>(_ type: T.Type, _ name: String) -> String {
        let group = T.resourceType.group
        return T.resourceType.kind.lowercased() + (group.isEmpty ? "" : ".\(group)") + "/\(name)"
    }

    static func age(_ timestamp: String?, now: Date = Date()) -> String {
        guard let date = timestamp.flatMap(Timestamp.parse) else { return "<unknown>" }
        return duration(seconds: max(0, Int(now.timeIntervalSince(date))))
    }

    /// kubectl's short form, two units at most: `90s`, `5m30s`, `3h`, `4d`.
    static func duration(seconds: Int) -> String {
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400)
        return switch seconds {
        case ..<120: "\(seconds)s"
        case ..<600: "\(minutes)m" + rest(seconds % 60, "s")
        case ..<10_800: "\(minutes)m"
        case ..<28_800: "\(hours)h" + rest(minutes % 60, "m")
        case ..<172_800: "\(hours)h"
        case ..<691_200: "\(days)d" + rest(hours % 24, "h")
        default: "\(days)d"
        }
    }

    private static func rest(_ amount: Int, _ unit: String) -> String { amount == 0 ? "" : "\(amount)\(unit)" }
}
