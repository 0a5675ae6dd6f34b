/// An IPv4 address.
public struct IPv4Address: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var bits: UInt32

    public init(bits: UInt32) { self.bits = bits }

    /// Reads four decimal numbers; a leading zero, which some read as octal, is refused.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard !part.isEmpty, part.count <= 3, part.allSatisfy({ $0.isASCII && $0.isNumber }), part == "0" || !part.hasPrefix("0"),
                let number = UInt8(part)
            else { return nil }
            bits = bits << 8 | UInt32(number)
        }
        self.bits = bits
    }

    public var description: String { "\(bits >> 24 & 255).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)" }

    public static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}

/// A block of IPv4 addresses, `10.244.0.0/16`.
public struct IPv4Network: Hashable, Sendable, CustomStringConvertible {
    public let base: IPv4Address
    public let prefixLength: Int

    /// Nil when a bit after the prefix is set, or the length is no length.
    public init?(base: IPv4Address, prefixLength: Int) {
        guard (0...32).contains(prefixLength), base.bits & ~Self.mask(prefixLength) == 0 else { return nil }
        self.base = base
        self.prefixLength = prefixLength
    }

    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let base = IPv4Address(parts[0]), let length = Int(parts[1]), String(length) == parts[1] else { return nil }
        self.init(base: base, prefixLength: length)
    }

    public var description: String { "\(base)/\(prefixLength)" }

    public func contains(_ address: IPv4Address) -> Bool { address.bits & Self.mask(prefixLength) == base.bits }

    public func overlaps(_ other: IPv4Network) -> Bool { contains(other.base) || other.contains(base) }

    /// The address at that offset; nil outside the block.
    public func address(at offset: Int) -> IPv4Address? {
        guard offset >= 0, let bits = UInt32(exactly: Int(base.bits) + offset) else { return nil }
        let address = IPv4Address(bits: bits)
        return contains(address) ? address : nil
    }

    /// Of cluster DNS in a network of Services: the tenth, as kubeadm has it.
    public var clusterDNSAddress: IPv4Address? { address(at: 10) }

    /// How many blocks of that length it holds.
    public func count(ofPrefixLength length: Int) -> Int { length < prefixLength || length > 32 ? 0 : 1 << (length - prefixLength) }

    /// The block of that length at that place; nil outside this one.
    public func subnet(at index: Int, prefixLength length: Int) -> IPv4Network? {
        guard index >= 0, index < count(ofPrefixLength: length), let base = address(at: index << (32 - length)) else { return nil }
        return IPv4Network(base: base, prefixLength: length)
    }

    private static func mask(_ length: Int) -> UInt32 { length == 0 ? 0 : ~UInt32(0) << UInt32(32 - length) }
}
