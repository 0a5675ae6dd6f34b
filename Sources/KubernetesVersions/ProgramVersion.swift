/// The version of a program that is not Kubernetes' own: as many numbers as it has.
public struct ProgramVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// `[1, 6, 20]`, without zeros at the end.
    private let numbers: [Int]

    public init(_ numbers: Int...) { self.init(numbers) }

    /// Reads the numbers that a text begins with: 1.6.20 of `1.6.20~ds1-1+b1`. Nil when it begins with none.
    public init?(_ text: some StringProtocol) {
        let core = text.prefix { ("0"..."9").contains($0) || $0 == "." }
        let numbers = core.split(separator: ".").map { Int($0) }
        guard !numbers.isEmpty, !numbers.contains(nil) else { return nil }
        self.init(numbers.compactMap(\.self))
    }

    private init(_ numbers: [Int]) { self.numbers = Array(numbers.reversed().drop { $0 == 0 }.reversed()) }

    public var description: String {
        (numbers + Array(repeating: 0, count: max(0, 2 - numbers.count))).map(String.init).joined(separator: ".")
    }

    public static func < (left: Self, right: Self) -> Bool { left.numbers.lexicographicallyPrecedes(right.numbers) }
}
