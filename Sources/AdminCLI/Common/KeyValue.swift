import ArgumentParser

/// `key=value`: a label on the command line. What keys and values may be is the kinds' rules.
struct KeyValue: ExpressibleByArgument, Sendable, Equatable {
    var key: String
    var value: String

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return nil }
        key = String(parts[0])
        value = String(parts[1])
    }
}

extension [KeyValue] {
    /// Of a key that was given twice the last value; nil for none at all, which leaves the field out.
    var dictionary: [String: String]? {
        isEmpty ? nil : Dictionary(map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
    }
}
