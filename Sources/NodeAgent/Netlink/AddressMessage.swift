import Tunnel

/// An address of an interface, as rtnetlink says it (`struct ifaddrmsg`).
struct InterfaceAddress: Equatable {
    var address: IPAddress
    var prefixLength: UInt8
    var scope: UInt8
    var interface: UInt32

    private static let attributeAddress: UInt16 = 1
    private static let attributeLocal: UInt16 = 2

    var payload: [UInt8] {
        var bytes: [UInt8] = [address.isIPv4 ? Netlink.familyIPv4 : Netlink.familyIPv6, prefixLength, 0, scope]
        bytes.append(native: interface)
        return bytes + NetlinkAttributes.encode(Self.attributeLocal, address.bytes)
            + NetlinkAttributes.encode(Self.attributeAddress, address.bytes)
    }

    static let dumpPayload: [UInt8] = [UInt8](repeating: 0, count: 8)

    init(address: IPAddress, prefixLength: UInt8, scope: UInt8, interface: UInt32) {
        self.address = address
        self.prefixLength = prefixLength
        self.scope = scope
        self.interface = interface
    }

    init?(_ message: NetlinkMessage) {
        guard message.kind == Netlink.Kind.newAddress, message.payload.count >= 8 else { return nil }
        let attributes = NetlinkAttributes(message.payload[8...])
        guard let bytes = attributes.values[Self.attributeLocal] ?? attributes.values[Self.attributeAddress],
            let address = IPAddress(bytes: bytes)
        else { return nil }
        self.init(
            address: address, prefixLength: message.payload[1], scope: message.payload[3],
            interface: message.payload.native(UInt32.self, at: 4))
    }
}
