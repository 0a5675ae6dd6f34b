/// A lab's name: part of folder, cgroup, interface and node names.
public struct LabName: Hashable, Sendable, Codable, CustomStringConvertible {
    public static let longest = 20
    public let description: String

    /// Refuses what is no DNS label, or longer than the names made of it allow.
    public init(_ text: String) throws(LabError) {
        let isLabel =
            text.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || $0 == UInt8(ascii: "-")
            }
            && !text.hasPrefix("-") && !text.hasSuffix("-")
        guard isLabel, (1...Self.longest).contains(text.utf8.count) else {
            throw LabError(
                "\"\(text)\" cannot be a lab's name: it has to be 1 to \(Self.longest) lower-case letters, digits and hyphens, with no hyphen at either end"
            )
        }
        description = text
    }

    public init(from decoder: any Decoder) throws {
        try self.init(try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// The host's node and host name.
    var node: String { "nestbox-\(self)" }

    /// The cgroup below which everything of the lab runs.
    var cgroup: String { "nestbox-\(self)" }

    /// The one interface in the computer's own network: at most 15 characters, so long names are shortened by their hash.
    var link: String {
        let plain = "nb-\(self)"
        return plain.utf8.count <= 15 ? plain : "nb-" + String(Self.hash(description), radix: 36).suffix(12)
    }

    /// FNV-1a: the same in every run, which Swift's own hash is not.
    static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
