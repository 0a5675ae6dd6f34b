import Foundation
import KubernetesAPI
import Testing
import Yams

/// The YAML of this checkout, read as an API server reads it: `cpu: 1` is a number, and no text.
enum ManifestFiles {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The YAML files of a folder, without the folders in it.
    static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path).filter { $0.hasSuffix(".yaml") }.sorted()
    }

    static func documents(_ path: String) throws -> [JSONValue] {
        let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
        return try Yams.compose_all(yaml: text).map { try value($0) }
    }

    static func document(_ path: String) throws -> JSONValue {
        let all = try documents(path)
        try #require(all.count == 1, "\(path) holds \(all.count) documents")
        return all[0]
    }

    private static func value(_ node: Yams.Node) throws -> JSONValue {
        switch node {
        case .scalar(let scalar): return self.scalar(scalar)
        case .sequence(let sequence): return .array(try sequence.map { try value($0) })
        case .mapping(let mapping):
            var members: [String: JSONValue] = [:]
            for (key, member) in mapping {
                let name = try #require(key.scalar?.string)
                try #require(members.updateValue(try value(member), forKey: name) == nil, "\(name) stands there twice")
            }
            return .object(members)
        case .alias: throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "an alias"))
        }
    }

    private static func scalar(_ scalar: Yams.Node.Scalar) -> JSONValue {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "", "null", "~": return .null
        case "true", "True", "yes", "Yes", "on": return .bool(true)
        case "false", "False", "no", "No", "off": return .bool(false)
        default: break
        }
        if let integer = Int(scalar.string) { return .integer(integer) }
        if scalar.string.first?.isNumber == true, let number = Double(scalar.string) { return .number(number) }
        return .string(scalar.string)
    }
}

extension JSONValue {
    /// The value as that type; its JSON must come out as it went in, so that there is no field which the type does not know.
    func exactly<T: Codable>(_ type: T.Type) throws -> T {
        let decoded = try decoded(type)
        let again = try JSONValue(encoding: decoded)
        #expect(again == self)
        return decoded
    }

    func decoded<T: Decodable>(_ type: T.Type) throws -> T {
        try JSONDecoder().decode(type, from: JSONEncoder().encode(self))
    }

    /// `kind/name`, for messages and to find objects.
    var title: String { "\(self["kind"]?.string ?? "?")/\(self["metadata"]?["name"]?.string ?? "?")" }
}
