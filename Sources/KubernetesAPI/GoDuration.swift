/// A duration as Go writes it (`time.ParseDuration`), which is how Kubernetes' own fields and flags are written: `168h`, `1h30m`, `0s`.
public struct GoDuration: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let seconds: Double

    public init(seconds: Double) { self.seconds = seconds }

    /// Nil when the text is not a duration.
    public init?(_ text: String) {
        var rest = text[...]
        var sign = 1.0
        if rest.hasPrefix("-") || rest.hasPrefix("+") {
            sign = rest.hasPrefix("-") ? -1 : 1
            rest = rest.dropFirst()
        }
        if rest == "0" {
            self.seconds = 0
            return
        }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard digits.contains(where: \.isNumber), let amount = Double(digits.hasPrefix(".") ? "0" + digits : String(digits)) else {
                return nil
            }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            guard let factor = Self.units[String(unit)] else { return nil }
            rest = rest.dropFirst(unit.count)
            total += amount * factor
        }
        guard total.isFinite, total < 9.2e9 else { return nil }  // Go's own limit, 2^63 ns
        self.seconds = sign * total
    }

    /// Hours, minutes and seconds, as Go prints whole ones: `168h0m0s`.
    public var description: String {
        guard seconds >= 0, seconds == seconds.rounded() else { return "\(seconds)s" }
        let whole = Int(seconds)
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        if hours > 0 { return "\(hours)h\(minutes)m\(rest)s" }
        return minutes > 0 ? "\(minutes)m\(rest)s" : "\(rest)s"
    }

    public static func < (left: Self, right: Self) -> Bool { left.seconds < right.seconds }

    private static let units: [String: Double] = ["ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600]
}
