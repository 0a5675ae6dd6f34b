extension JSONValue {
    /// The value as JSON with sorted keys, the same bytes on every run: configuration files, checksums and golden files are made of it.
    public var text: String {
        var output = ""
        write(to: &output, indentation: nil)
        return output
    }

    /// The same, two spaces a level, with a newline at the end.
    public var prettyText: String {
        var output = ""
        write(to: &output, indentation: 0)
        return output + "\n"
    }

    private func write(to output: inout String, indentation: Int?) {
        switch self {
        case .null: output += "null"
        case .bool(let value): output += value ? "true" : "false"
        case .integer(let value): output += String(value)
        case .number(let value): output += value.isFinite ? "\(value)" : "null"
        case .string(let value): Self.write(value, to: &output)
        case .array(let values):
            Self.writeMembers(values, between: ("[", "]"), to: &output, indentation: indentation) { value, output, inner in
                value.write(to: &output, indentation: inner)
            }
        case .object(let members):
            let sorted = members.sorted { $0.key < $1.key }
            Self.writeMembers(sorted, between: ("{", "}"), to: &output, indentation: indentation) { member, output, inner in
                Self.write(member.key, to: &output)
                output += inner == nil ? ":" : ": "
                member.value.write(to: &output, indentation: inner)
            }
        }
    }

    private static func writeMembers<Member>(
        _ members: [Member], between brackets: (String, String), to output: inout String, indentation: Int?,
        each: (Member, inout String, Int?) -> Void
    ) {
        output += brackets.0
        for (index, member) in members.enumerated() {
            if index > 0 { output += "," }
            if let indentation { output += "\n" + String(repeating: "  ", count: indentation + 1) }
            each(member, &output, indentation.map { $0 + 1 })
        }
        if let indentation, !members.isEmpty { output += "\n" + String(repeating: "  ", count: indentation) }
        output += brackets.1
    }

    private static func write(_ string: String, to output: inout String) {
        output += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let hex = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
