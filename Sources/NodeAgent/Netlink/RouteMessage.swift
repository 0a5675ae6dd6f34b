import Tunnel

/// A route of the main table, as rtnetlink says it (`struct rtmsg`).
struct KernelRoute: Hashable {
    var destination: AddressBlock
    var gateway: IPAddress?
    var priority: UInt32
    var protocolNumber: UInt8
    var table: UInt32 = UInt32(Netlink.tableMain)

    private enum Attribute {
        static let destination: UInt16 = 1
        static let gateway: UInt16 = 5
        static let priority: UInt16 = 6
        static let table: UInt16 = 15
    }

    private var family: UInt8 { destination.network.isIPv4 ? Netlink.familyIPv4 : Netlink.familyIPv6 }

    func payload(deleting: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = [
            family, UInt8(destination.prefixLength), 0, 0, Netlink.tableMain, protocolNumber,
            deleting ? Netlink.scopeNowhere : Netlink.scopeUniverse, deleting ? 0 : Netlink.typeUnicast,
        ]
        bytes.append(native: UInt32(0))
        bytes += NetlinkAttributes.encode(Attribute.destination, destination.network.bytes)
        if let gateway { bytes += NetlinkAttributes.encode(Attribute.gateway, gateway.bytes) }
        return bytes + NetlinkAttributes.encode(Attribute.priority, priority)
    }

    static func dumpPayload(family: UInt8) -> [UInt8] { [family] + [UInt8](repeating: 0, count: 11) }

    init(destination: AddressBlock, gateway: IPAddress?, priority: UInt32, protocolNumber: UInt8) {
        self.destination = destination
        self.gateway = gateway
        self.priority = priority
        self.protocolNumber = protocolNumber
    }

    /// Nil for what is no unicast route.
    init?(_ message: NetlinkMessage) {
        let payload = message.payload
        guard message.kind == Netlink.Kind.newRoute, payload.count >= 12, payload[7] == Netlink.typeUnicast else { return nil }
        let size = payload[0] == Netlink.familyIPv4 ? 4 : 16
        let attributes = NetlinkAttributes(payload[12...])
        let network = attributes.values[Attribute.destination] ?? [UInt8](repeating: 0, count: size)
        guard let address = IPAddress(bytes: network), let block = AddressBlock(network: address, prefixLength: Int(payload[1])) else {
            return nil
        }
        self.init(
            destination: block, gateway: attributes.values[Attribute.gateway].flatMap { IPAddress(bytes: $0) },
            priority: attributes.number(Attribute.priority) ?? 0, protocolNumber: payload[5])
        table = attributes.number(Attribute.table) ?? UInt32(payload[4])
    }
}
