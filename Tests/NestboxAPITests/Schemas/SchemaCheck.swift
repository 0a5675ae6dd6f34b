import Foundation
import KubernetesAPI

/// Holds a value to a structural schema, as an API server does; a keyword that this does not know is an error too.
struct SchemaCheck {
    private(set) var problems: [String] = []

    static func problems(of value: JSONValue, in schema: JSONValue) -> [String] {
        var check = SchemaCheck()
        check.check(value, schema, at: "")
        return check.problems
    }

    private mutating func check(_ value: JSONValue, _ schema: JSONValue, at path: String) {
        for keyword in (schema.object ?? [:]).keys where !Self.keywords.contains(keyword) {
            problems.append("\(path): the schema says \(keyword), which is not understood")
        }
        switch (schema["type"]?.string, value) {
        case ("object", .object(let members)): check(members, schema, at: path)
        case ("array", .array(let items)):
            if let least = schema["minItems"]?.integer, items.count < least { problems.append("\(path): \(items.count) items") }
            if let most = schema["maxItems"]?.integer, items.count > most { problems.append("\(path): \(items.count) items") }
            for (index, item) in items.enumerated() { check(item, schema["items"] ?? .null, at: "\(path)[\(index)]") }
        case ("string", .string(let text)): check(text, schema, at: path)
        case ("integer", .integer(let number)):
            if let least = schema["minimum"]?.integer, number < least { problems.append("\(path): \(number) < \(least)") }
            if let most = schema["maximum"]?.integer, number > most { problems.append("\(path): \(number) > \(most)") }
        case ("boolean", .bool): break
        case (nil, .integer), (nil, .string):
            if schema["x-kubernetes-int-or-string"] != .bool(true) { problems.append("\(path): the schema has no type") }
        default: problems.append("\(path): \(value) is not of type \(schema["type"]?.string ?? "?")")
        }
        if let values = schema["enum"]?.array, !values.contains(value) { problems.append("\(path): \(value) is not one of \(values)") }
    }

    private mutating func check(_ members: [String: JSONValue], _ schema: JSONValue, at path: String) {
        for name in (schema["required"]?.array ?? []).compactMap(\.string) where members[name] == nil {
            problems.append("\(path).\(name) is missing")
        }
        // metadata is the API server's own.
        if schema["properties"] == nil && schema["additionalProperties"] == nil { return }
        for (name, member) in members {
            if let property = schema["properties"]?[name] {
                check(member, property, at: "\(path).\(name)")
            } else if let values = schema["additionalProperties"] {
                check(member, values, at: "\(path)[\(name)]")
            } else if path != ".metadata" {
                problems.append("\(path).\(name) is unknown")
            }
        }
    }

    private mutating func check(_ text: String, _ schema: JSONValue, at path: String) {
        if let least = schema["minLength"]?.integer, text.count < least { problems.append("\(path): \"\(text)\" is too short") }
        if let most = schema["maxLength"]?.integer, text.count > most { problems.append("\(path): \"\(text)\" is too long") }
        if let pattern = schema["pattern"]?.string, text.range(of: pattern, options: .regularExpression) == nil {
            problems.append("\(path): \"\(text)\" does not match \(pattern)")
        }
        if schema["format"]?.string == "date-time", Timestamp.parse(text) == nil { problems.append("\(path): \"\(text)\" is no time") }
    }

    private static let keywords: Set<String> = [
        "type", "description", "properties", "additionalProperties", "required", "items", "enum", "pattern", "format", "minimum",
        "maximum", "minLength", "maxLength", "minItems", "maxItems", "default", "nullable", "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string",
    ]
}
