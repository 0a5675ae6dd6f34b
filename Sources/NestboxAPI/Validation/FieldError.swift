/// What is wrong with one field of an object, for the person who wrote it.
public struct FieldError: Error, Sendable, Equatable, CustomStringConvertible {
    /// `spec.network.pods`, `spec.taints[1].effect`, `spec.labels[tier]`.
    public var path: String
    /// What is wrong and what would be right, to be read after the path and a colon.
    public var message: String

    public init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { "\(path): \(message)" }
}

/// Gathers what is wrong: all of it, so that nobody mends a manifest one error at a time.
struct FieldErrors {
    private(set) var list: [FieldError] = []

    mutating func add(_ path: String, _ message: String) {
        list.append(FieldError(path, message))
    }

    mutating func add(_ errors: [FieldError]) {
        list += errors
    }

    /// Notes the message unless the rule holds.
    mutating func require(_ holds: Bool, _ path: String, _ message: @autoclosure () -> String) {
        if !holds { add(path, message()) }
    }

    /// Notes it when the text, where there is one, does not follow the syntax.
    mutating func require(_ text: String?, is syntax: Syntax, at path: String) {
        guard let text, !syntax.accepts(text) else { return }
        add(path, "\(quoted(text)) is not \(syntax.description)")
    }

    /// For fields whose values are few.
    mutating func require(_ text: String?, isOneOf values: [String], at path: String) {
        guard let text, !values.contains(text) else { return }
        add(path, "\(quoted(text)) is not one of \(values.joined(separator: ", "))")
    }

    /// For fields that may not be changed once they have been used.
    mutating func requireSame<Value: Equatable>(_ old: Value, _ new: Value, at path: String, because reason: String) {
        guard old != new else { return }
        add(path, "cannot be changed from \(Self.text(old)) to \(Self.text(new)): \(reason)")
    }

    private static func text(_ value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        guard mirror.displayStyle == .optional else { return "\(value)" }
        return mirror.children.first.map { "\($0.value)" } ?? "nothing"
    }
}

/// A text as it is shown in a message: in quotes, on one line, and no more of it than helps to find it. What was written into the
/// wrong field may be a key.
func quoted(_ text: String) -> String {
    let longest = 80
    let shown = text.unicodeScalars.prefix(longest).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : String($0) }.joined()
    return text.unicodeScalars.count > longest ? "\"\(shown)…\"" : "\"\(shown)\""
}
