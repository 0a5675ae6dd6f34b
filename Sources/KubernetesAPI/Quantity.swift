/// An amount as Kubernetes writes it: `8Gi`, `250m`, `1.5`, `2e3` (apimachinery's `resource.Quantity`).
public struct Quantity: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// As it was written.
    public let text: String
    /// In units; exact for anything a cluster counts in.
    public let value: Double

    /// Nil when the text is not a quantity.
    public init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "+" || $0 == "-") }
        let number = digits.hasPrefix(".") ? "0" + digits : String(digits)
        guard let amount = Double(number), amount.isFinite, digits.contains(where: \.isNumber) else { return nil }
        let suffix = String(text.dropFirst(digits.count))
        guard let factor = Self.factors[suffix] ?? Self.exponent(suffix) else { return nil }
        self.text = text
        self.value = amount * factor
    }

    public var description: String { text }

    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    private static let factors: [String: Double] = [
        "": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
        "Ki": 1024, "Mi": 1_048_576, "Gi": 1_073_741_824, "Ti": 1_099_511_627_776, "Pi": 1_125_899_906_842_624,
        "Ei": 1_152_921_504_606_846_976,
    ]

    /// `e3` and `E3`.
    private static func exponent(_ suffix: String) -> Double? {
        guard suffix.count > 1, suffix.hasPrefix("e") || suffix.hasPrefix("E"), let power = Int(suffix.dropFirst()), abs(power) <= 18
        else { return nil }
        return Double("1e\(power)")
    }
}
