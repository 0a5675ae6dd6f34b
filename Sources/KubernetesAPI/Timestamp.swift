import FoundationEssentials

/// The two forms in which the API writes a moment.
public enum Timestamp {
    /// `2026-08-01T12:00:00Z`: metav1.Time.
    public static func format(_ date: Date) -> String {
        date.formatted(.iso8601)
    }

    /// `2026-08-01T12:00:00.000000Z`: metav1.MicroTime, of Leases and Events.
    public static func formatMicro(_ date: Date) -> String {
        let interval = date.timeIntervalSince1970
        let whole = interval.rounded(.down)
        let micros = min(999_999, Int((interval - whole) * 1_000_000))
        let digits = String(micros)
        let fraction = String(repeating: "0", count: 6 - digits.count) + digits
        return format(Date(timeIntervalSince1970: whole)).dropLast() + ".\(fraction)Z"
    }

    /// Reads RFC 3339 with or without a fraction; nil for anything else.
    public static func parse(_ text: String) -> Date? {
        guard let dot = text.firstIndex(of: ".") else { return try? Date(text, strategy: .iso8601) }
        let digits = text[text.index(after: dot)...].prefix { $0.isASCII && $0.isNumber }
        guard let date = try? Date(text[..<dot] + text[digits.endIndex...], strategy: .iso8601),
            let fraction = Double("0." + digits)
        else { return nil }
        return date.addingTimeInterval(fraction)
    }
}
