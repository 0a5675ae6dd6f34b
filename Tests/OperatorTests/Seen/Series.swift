import Testing

/// One line of what `/metrics` answers.
struct Series: Equatable {
    var name: String
    var labels: [String: String]

    struct Malformed: Error, CustomStringConvertible {
        var description: String
    }

    /// - Parameter text: the exposition format, whose label values hold no quotes here.
    static func read(_ text: String) throws -> [Series] {
        try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let name = line.prefix { $0 != "{" && $0 != " " }
            var labels: [String: String] = [:]
            if let open = line.firstIndex(of: "{"), let close = line.lastIndex(of: "}") {
                let parts = line[line.index(after: open)..<close].split(separator: "\"", omittingEmptySubsequences: false)
                for index in stride(from: 0, to: parts.count - 1, by: 2) {
                    labels[String(parts[index].drop { $0 == "," }.dropLast())] = String(parts[index + 1])
                }
            }
            guard !name.isEmpty, let value = line.split(separator: " ").last, Double(value) != nil else {
                throw Malformed(description: "\(line)")
            }
            return Series(name: String(name), labels: labels)
        }
    }
}
