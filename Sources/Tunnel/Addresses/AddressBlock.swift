/// A block of addresses, such as `10.244.1.0/24`.
public struct AddressBlock: Hashable, Sendable {
    /// The first address of the block: bits behind the prefix are zero.
    public let network: IPAddress
    public let prefixLength: Int

    /// Nil if the prefix is longer than the address or bits behind it are set.
    public init?(network: IPAddress, prefixLength: Int) {
        guard (0...(network.bytes.count * 8)).contains(prefixLength) else { return nil }
        guard Self.masked(network.bytes, to: prefixLength) == network.bytes else { return nil }
        self.network = network
        self.prefixLength = prefixLength
    }

    /// Reads `ADDRESS/PREFIX`.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let network = IPAddress(parts[0]), parts[1].allSatisfy(\.isWholeNumber), let length = Int(parts[1]) else {
            return nil
        }
        self.init(network: network, prefixLength: length)
    }

    public func contains(_ address: IPAddress) -> Bool {
        address.bytes.count == network.bytes.count && Self.masked(address.bytes, to: prefixLength) == network.bytes
    }

    public func overlaps(_ other: AddressBlock) -> Bool {
        prefixLength <= other.prefixLength ? contains(other.network) : other.contains(network)
    }

    private static func masked(_ bytes: [UInt8], to prefixLength: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let kept = min(max(prefixLength - index * 8, 0), 8)
            return byte & ~UInt8(truncatingIfNeeded: 0xff >> kept)
        }
    }
}

extension AddressBlock: CustomStringConvertible {
    public var description: String { "\(network)/\(prefixLength)" }
}
