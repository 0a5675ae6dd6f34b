import Testing

/// As much of PromQL as it takes to say which series and labels an expression asks for, and that its brackets and strings end.
struct PromQL {
    struct Matcher: Equatable {
        var label: String
        var comparison: String
        var value: String
    }

    struct Selector: Equatable {
        var metric: String
        var matchers: [Matcher] = []
    }

    struct Malformed: Error, CustomStringConvertible {
        var description: String
    }

    private(set) var selectors: [Selector] = []
    /// Labels that it groups or matches by.
    private(set) var grouped: Set<String> = []
    private(set) var functions: Set<String> = []

    private enum Token: Equatable {
        case name(String)
        case text(String)
        case other(String)
    }

    private static let clauses: Set = ["by", "without", "on", "ignoring", "group_left", "group_right"]
    private static let operators: Set = ["and", "or", "unless", "bool", "offset"]

    init(_ expression: String) throws {
        let tokens = try Self.tokens(expression)
        var open: [String] = []
        var index = 0
        func token(_ offset: Int = 0) -> Token? { tokens.indices.contains(index + offset) ? tokens[index + offset] : nil }
        while let current = token() {
            index += 1
            switch current {
            case .other(let sign) where ["(", "[", "{"].contains(sign): open.append(sign)
            case .other(let sign) where [")", "]", "}"].contains(sign):
                guard let last = open.popLast(), ["(": ")", "[": "]", "{": "}"][last] == sign else {
                    throw Malformed(description: "\(sign) closes nothing: \(expression)")
                }
            case .other, .text: break
            case .name(let name) where Self.clauses.contains(name):
                guard token() == .other("(") else { throw Malformed(description: "\(name) names no labels: \(expression)") }
                index += 1
                while let next = token(), next != .other(")") {
                    if case .name(let label) = next { grouped.insert(label) }
                    index += 1
                }
                index += 1
            case .name(let name) where Self.operators.contains(name): break
            case .name(let name):
                if token() == .other("(") {
                    functions.insert(name)
                } else if case .name(let next) = token(), Self.clauses.contains(next) {
                    functions.insert(name)
                } else {
                    var selector = Selector(metric: name)
                    if token() == .other("{") {
                        index += 1
                        while let next = token(), next != .other("}") {
                            if case .name(let label) = next, case .other(let sign) = token(1), case .text(let value) = token(2) {
                                selector.matchers.append(Matcher(label: label, comparison: sign, value: value))
                                index += 3
                            } else if next == .other(",") {
                                index += 1
                            } else {
                                throw Malformed(description: "a matcher of \(name) is none: \(expression)")
                            }
                        }
                        guard token() != nil else { throw Malformed(description: "the matchers of \(name) do not end: \(expression)") }
                        index += 1
                    }
                    selectors.append(selector)
                }
            }
        }
        guard open.isEmpty else { throw Malformed(description: "\(open.joined()) is not closed: \(expression)") }
    }

    private static func tokens(_ text: String) throws -> [Token] {
        var tokens: [Token] = []
        var rest = Substring(text)
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
            } else if first.isLetter || first == "_" {
                let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == ":" }
                tokens.append(.name(String(name)))
                rest = rest.dropFirst(name.count)
            } else if first.isNumber {
                // A number, or a duration.
                let number = rest.prefix { $0.isNumber || $0.isLetter || $0 == "." }
                tokens.append(.other(String(number)))
                rest = rest.dropFirst(number.count)
            } else if first == "\"" {
                let inside = rest.dropFirst().prefix { $0 != "\"" }
                guard inside.endIndex < rest.endIndex else { throw Malformed(description: "a string does not end: \(text)") }
                tokens.append(.text(String(inside)))
                rest = rest[inside.endIndex...].dropFirst()
            } else {
                let sign = ["=~", "!~", "!=", "==", ">=", "<="].first { rest.hasPrefix($0) } ?? String(first)
                tokens.append(.other(sign))
                rest = rest.dropFirst(sign.count)
            }
        }
        return tokens
    }
}

@Suite struct PromQLTests {
    @Test func itNamesSeriesAndLabels() throws {
        let query = try PromQL(
            #"max by (name) (rate(up{job=~"a|b",x!="1"}[5m])) > 0.5 and on (namespace) time() - other < 9 unless third"#)
        #expect(query.selectors.map(\.metric) == ["up", "other", "third"])
        #expect(query.selectors[0].matchers.map(\.label) == ["job", "x"] && query.selectors[0].matchers[0].comparison == "=~")
        #expect(query.grouped == ["name", "namespace"] && query.functions == ["max", "rate", "time"])
    }

    @Test(arguments: ["sum(up", "up)", #"up{a="b}"#, #"up{a}"#, "sum by up", #"up{a="b""#])
    func whatDoesNotEndIsRefused(expression: String) { #expect(throws: PromQL.Malformed.self) { try PromQL(expression) } }
}
