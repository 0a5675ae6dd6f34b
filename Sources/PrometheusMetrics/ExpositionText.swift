/// Builds the text exposition format.
struct ExpositionText {
    private(set) var output = ""

    mutating func append(_ family: MetricFamily) {
        guard !family.instruments.isEmpty else { return }
        output += "# HELP \(family.name) \(Self.escaped(family.help, quotes: false))\n"
        output += "# TYPE \(family.name) \(family.kind.rawValue)\n"
        for (labels, instrument) in family.instruments.sorted(by: { $0.key < $1.key }) {
            switch instrument {
            case .counter(let counter): line(family.name, labels.pairs, counter.value)
            case .gauge(let gauge): line(family.name, labels.pairs, gauge.value)
            case .histogram(let histogram): append(histogram, name: family.name, labels: labels.pairs)
            case .value(let value): line(family.name, labels.pairs, value)
            }
        }
    }

    private mutating func append(_ histogram: Histogram, name: String, labels: [MetricLabels.Pair]) {
        let snapshot = histogram.snapshot
        var seen: UInt64 = 0
        for (bound, count) in zip(histogram.bounds + [.infinity], snapshot.counts) {
            seen += count
            line("\(name)_bucket", labels + [.init(name: "le", value: Self.number(bound))], Double(seen))
        }
        line("\(name)_sum", labels, snapshot.sum)
        line("\(name)_count", labels, Double(seen))
    }

    private mutating func line(_ name: String, _ labels: [MetricLabels.Pair], _ value: Double) {
        output += name
        if !labels.isEmpty {
            output += "{"
            output += labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }.joined(separator: ",")
            output += "}"
        }
        output += " \(Self.number(value))\n"
    }

    /// Whole numbers without a fraction, as Go's client writes them.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return "\(Int64(value))" }
        return "\(value)"
    }

    static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        // By scalars: "\r\n" is one Character, and its newline would slip through.
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
