import KubernetesAPI
import Yams

/// The documents of a YAML text (or of a JSON one, which is YAML too) as an API server reads them: `cpus: 1` is a number, `"1"` is not.
enum YAMLDocuments {
    struct Unreadable: Error { var reason: String }

    static func read(_ text: String) throws(Unreadable) -> [JSONValue] {
        var nodes: [Yams.Node] = []
        do {
            // Not compose_all, which ends at what it cannot read as if nothing came after it.
            let parser = try Parser(yaml: text)
            while let node = try parser.nextRoot() { nodes.append(node) }
        } catch {
            throw Unreadable(reason: Rendering.oneLine("\(error)"))
        }
        var documents: [JSONValue] = []
        for node in nodes {
            let value = try value(node)
            // What stands between two lines "---" may be a comment alone.
            if value != .null { documents.append(value) }
        }
        return documents
    }

    private static func value(_ node: Yams.Node) throws(Unreadable) -> JSONValue {
        switch node {
        case .scalar(let scalar): return self.scalar(scalar)
        case .sequence(let sequence):
            var items: [JSONValue] = []
            for item in sequence { items.append(try value(item)) }
            return .array(items)
        case .mapping(let mapping):
            var members: [String: JSONValue] = [:]
            for (key, member) in mapping {
                guard let name = key.scalar?.string else { throw Unreadable(reason: "a key that is no text\(place(key))") }
                guard members.updateValue(try value(member), forKey: name) == nil else {
                    throw Unreadable(reason: "\(name) stands there twice\(place(key))")
                }
            }
            return .object(members)
        case .alias: throw Unreadable(reason: "an alias, which is not taken here\(place(node))")
        }
    }

    private static func place(_ node: Yams.Node) -> String { node.mark.map { " (line \($0.line))" } ?? "" }

    private static func scalar(_ scalar: Yams.Node.Scalar) -> JSONValue {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "", "null", "Null", "NULL", "~": return .null
        case "true", "True", "TRUE", "yes", "Yes", "on", "On": return .bool(true)
        case "false", "False", "FALSE", "no", "No", "off", "Off": return .bool(false)
        default: break
        }
        if let integer = Int(scalar.string) { return .integer(integer) }
        if scalar.string.first?.isNumber == true, let number = Double(scalar.string) { return .number(number) }
        return .string(scalar.string)
    }
}
