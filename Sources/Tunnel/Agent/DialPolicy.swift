/// What an agent dials for the cluster, and what it refuses: addresses that mean the machine itself, or its cloud's secrets, to
/// whoever dials them from here.
public struct DialPolicy: Sendable {
    /// Addresses of this machine that serve this machine only, such as the node-local API address.
    public var nodeLocal: Set<IPAddress>
    /// Exceptions, by the owner of the machine.
    public var allowed: [AddressBlock]

    public init(nodeLocal: Set<IPAddress> = [], allowed: [AddressBlock] = []) {
        self.nodeLocal = nodeLocal
        self.allowed = allowed
    }

    private static let refused: [(AddressBlock?, String)] = [
        (AddressBlock("0.0.0.0/8"), "an unspecified address"),
        (AddressBlock("127.0.0.0/8"), "a loopback address"),
        (AddressBlock("169.254.0.0/16"), "a link-local address"),
        (AddressBlock("224.0.0.0/4"), "a multicast address"),
        (AddressBlock("240.0.0.0/4"), "a reserved address"),
        // Metadata services outside the link-local block: Azure's wire server, Alibaba's, Oracle's.
        (AddressBlock("168.63.129.16/32"), "a metadata service"),
        (AddressBlock("100.100.100.200/32"), "a metadata service"),
        (AddressBlock("192.0.0.192/32"), "a metadata service"),
        (AddressBlock("::/128"), "an unspecified address"),
        (AddressBlock("::1/128"), "a loopback address"),
        (AddressBlock("fe80::/10"), "a link-local address"),
        (AddressBlock("ff00::/8"), "a multicast address"),
        (AddressBlock("fd00:ec2::254/128"), "a metadata service"),
        (AddressBlock("fd20:ce::254/128"), "a metadata service"),
    ]

    /// Why the address is not dialled, or nil.
    public func refusal(of address: IPAddress) -> String? {
        if allowed.contains(where: { $0.contains(address) }) { return nil }
        if nodeLocal.contains(address) { return "an address for this node alone" }
        return Self.refused.first { $0.0?.contains(address) == true }?.1
    }
}
