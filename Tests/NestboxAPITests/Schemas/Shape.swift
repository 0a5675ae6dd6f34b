import KubernetesAPI
import Testing

/// What JSON a type takes, as far as schemas and Swift types can both say it.
indirect enum Shape: Equatable, CustomStringConvertible {
    case string(oneOf: Set<String>?)
    case integer
    case boolean
    case integerOrString
    case array(Shape)
    case map(Shape)
    case object([String: Member])
    /// Whatever there may be, kept as it is.
    case any

    struct Member: Equatable {
        var shape: Shape
        /// Whether it must be there.
        var isRequired: Bool
    }

    var description: String {
        switch self {
        case .string(let values): values.map { "one of \($0.sorted())" } ?? "string"
        case .integer: "integer"
        case .boolean: "boolean"
        case .integerOrString: "integer or string"
        case .array(let items): "[\(items)]"
        case .map(let values): "[string: \(values)]"
        case .object(let members): "object of \(members.keys.sorted())"
        case .any: "anything"
        }
    }

    /// Where two shapes part, by path. What Swift needs the schema must require; that a schema requires more is its own affair.
    func differences(from schema: Shape, at path: String) -> [String] {
        switch (self, schema) {
        case (.string(let swift), .string(let schema)):
            // A Swift String takes whatever the schema lets through; a Swift enum takes its cases alone.
            return swift == nil || swift == schema ? [] : ["\(path): Swift takes \(swift ?? []), the schema \(schema ?? [])"]
        case (.array(let swift), .array(let schema)): return swift.differences(from: schema, at: "\(path)[]")
        case (.map(let swift), .map(let schema)): return swift.differences(from: schema, at: "\(path).*")
        case (.object(let swift), .object(let schema)):
            let missing = swift.keys.filter { schema[$0] == nil }.map { "\(path).\($0) is not in the schema" }
            let extra = schema.keys.filter { swift[$0] == nil }.map { "\(path).\($0) is not in Swift" }
            let below = swift.flatMap { name, member -> [String] in
                guard let other = schema[name] else { return [] }
                let lax = member.isRequired && !other.isRequired ? ["\(path).\(name) is not optional in Swift, and not required"] : []
                return lax + member.shape.differences(from: other.shape, at: "\(path).\(name)")
            }
            return missing + extra + below
        default: return self == schema ? [] : ["\(path): \(self) in Swift, \(schema) in the schema"]
        }
    }
}

extension Shape {
    /// The shape that a structural schema describes.
    init(schema: JSONValue, path: String = "") throws {
        if schema["x-kubernetes-int-or-string"]?.bool == true {
            self = .integerOrString
            return
        }
        switch schema["type"]?.string {
        case "string": self = .string(oneOf: schema["enum"]?.array.map { Set($0.compactMap(\.string)) })
        case "integer": self = .integer
        case "boolean": self = .boolean
        case "array": self = .array(try Shape(schema: try #require(schema["items"]), path: "\(path)[]"))
        case "object" where schema["x-kubernetes-preserve-unknown-fields"] == .bool(true):
            #expect(schema["properties"] == nil, "\(path) says something of what it keeps as it is")
            self = .map(.any)
        case "object":
            if let values = schema["additionalProperties"] {
                self = .map(try Shape(schema: values, path: "\(path).*"))
                return
            }
            let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
            let properties = try #require(schema["properties"]?.object, "\(path) says nothing of its properties")
            #expect(required.isSubset(of: properties.keys), "\(path) requires what it does not describe")
            self = .object(
                try Dictionary(
                    uniqueKeysWithValues: properties.map { name, schema in
                        (name, Member(shape: try Shape(schema: schema, path: "\(path).\(name)"), isRequired: required.contains(name)))
                    }))
        default: throw ShapeError(description: "\(path) has type \(String(describing: schema["type"]))")
        }
    }
}

struct ShapeError: Error, CustomStringConvertible {
    var description: String
}
