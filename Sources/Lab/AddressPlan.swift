import NestboxAPI

/// The networks of one lab: a /22 of its own out of 10.213.0.0/16.
///
/// Of its four /24s the first holds the link between the computer and the host and the network of the host's nodes, the second the
/// machines, the third the host's pods and the fourth the host's Services.
public struct AddressPlan: Hashable, Sendable, Codable {
    /// Which /22 it is.
    public let slot: Int

    static let slots = 64

    public init?(slot: Int) {
        guard (0..<Self.slots).contains(slot) else { return nil }
        self.slot = slot
    }

    /// The name's own slot, or the next one that overlaps nothing that is in use.
    static func choose(for name: LabName, inUse: [IPv4Network]) throws(LabError) -> AddressPlan {
        let first = Int(LabName.hash(name.description) % UInt64(slots))
        for step in 0..<slots {
            guard let plan = AddressPlan(slot: (first + step) % slots) else { continue }
            if !inUse.contains(where: plan.overlaps) { return plan }
        }
        throw LabError("all networks in 10.213.0.0/16 overlap with routes or other labs of this computer: the lab needs one free /22 there")
    }

    func overlaps(_ network: IPv4Network) -> Bool {
        // A default route covers everything and clashes with nothing.
        network.prefixLength > 0 && all.overlaps(network)
    }

    /// The whole /22.
    var all: IPv4Network { network(offset: 0, prefixLength: 22) }
    public var machines: IPv4Network { network(offset: 1, prefixLength: 24) }
    public var pods: IPv4Network { network(offset: 2, prefixLength: 24) }
    public var services: IPv4Network { network(offset: 3, prefixLength: 24) }
    /// Where the host has several nodes: theirs.
    public var hostNodes: IPv4Network { network(offset: 0, host: 64, prefixLength: 26) }

    /// The pods of one of the host's nodes, numbered from 1: the embedded one has all, or half where there are more.
    func pods(ofHostNode number: Int, of count: Int) -> IPv4Network {
        guard count > 1 else { return pods }
        if number == 1 { return network(offset: 2, prefixLength: 25) }
        return network(offset: 2, host: UInt32(64 * number), prefixLength: 26)
    }

    /// The computer's end of the link.
    public var computer: IPv4Address { address(block: 0, 1) }
    /// The host's address: its API, its node, its NodePorts.
    public var host: IPv4Address { address(block: 0, 2) }
    /// The host's end in the machines' network, and their way out.
    public var gateway: IPv4Address { address(block: 1, 1) }
    /// The embedded node's end in the network of the host's nodes, and their way out.
    public var hostNodesGateway: IPv4Address { address(block: 0, 65) }
    /// The address of the host's node with that number, from 2.
    public func hostNode(_ number: Int) -> IPv4Address { address(block: 0, UInt32(64 + number)) }
    /// The first Service address: the host's API from its own pods.
    public var apiService: IPv4Address { address(block: 3, 1) }

    /// The address of the machine with that number, from 1.
    public func machine(_ number: Int) -> IPv4Address { address(block: 1, UInt32(10 + number)) }
    static let mostMachines = 200

    private var base: UInt32 { 10 << 24 | 213 << 16 | UInt32(slot) << 10 }
    private func address(block: UInt32, _ host: UInt32) -> IPv4Address { IPv4Address(bits: base | block << 8 | host) }

    private func network(offset: UInt32, host: UInt32 = 0, prefixLength: Int) -> IPv4Network {
        // The base has no bit after the prefix by construction.
        guard let network = IPv4Network(base: address(block: offset, host), prefixLength: prefixLength) else {
            preconditionFailure("slot \(slot) has no /\(prefixLength) at \(offset).\(host)")
        }
        return network
    }
}
