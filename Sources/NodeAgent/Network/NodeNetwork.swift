import Glibc
import Tunnel

/// The machine's network as far as `nestbox-node` touches it: an address on loopback, routes to other nodes' pods, one sysctl.
/// Blocking.
struct NodeNetwork: Sendable {
    static let loopback = "lo"
    /// `all` counts for every interface: the kernel takes the higher of the two.
    static let arpIgnore = "/proc/sys/net/ipv4/conf/all/arp_ignore"

    // MARK: The address

    func holds(_ address: IPAddress) throws(NetlinkError) -> Bool {
        var socket = try NetlinkSocket()
        return try addresses(&socket).contains { $0.address == address }
    }

    func addLoopbackAddress(_ address: IPAddress) throws(NetlinkError) {
        var socket = try NetlinkSocket()
        try socket.change(
            "add \(address) to \(Self.loopback)", kind: Netlink.Kind.newAddress, flags: Netlink.Flag.create | Netlink.Flag.exclusive,
            payload: try loopbackAddress(address).payload)
    }

    func removeLoopbackAddress(_ address: IPAddress) throws(NetlinkError) {
        var socket = try NetlinkSocket()
        let wanted = try loopbackAddress(address)
        guard try addresses(&socket).contains(where: { $0.address == address && $0.interface == wanted.interface }) else { return }
        try socket.change("remove \(address) from \(Self.loopback)", kind: Netlink.Kind.deleteAddress, payload: wanted.payload)
    }

    private func loopbackAddress(_ address: IPAddress) throws(NetlinkError) -> InterfaceAddress {
        let index = if_nametoindex(Self.loopback)
        guard index > 0 else { throw NetlinkError(operation: "find the interface \(Self.loopback)", errno: errno) }
        // Scope host: never the source of what leaves the machine, and what `arp_ignore` 3 keeps silent about.
        return InterfaceAddress(
            address: address, prefixLength: UInt8(address.bytes.count * 8), scope: Netlink.scopeHost, interface: index)
    }

    private func addresses(_ socket: inout NetlinkSocket) throws(NetlinkError) -> [InterfaceAddress] {
        try socket.dump("list addresses", kind: Netlink.Kind.getAddress, payload: InterfaceAddress.dumpPayload)
            .compactMap { InterfaceAddress($0) }
    }

    // MARK: ARP

    /// Linux answers ARP on every interface for any address it holds, so neighbours could reach the node-local API address. Returns
    /// the value to put back, or nil when the machine is silent already.
    func silenceARP() throws(SmallFile.Failure) -> String? {
        let text = try SmallFile.text(Self.arpIgnore)
        let value = text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? "0"
        guard value == "0" else { return nil }
        try SmallFile.write("3", to: Self.arpIgnore)
        return value
    }

    /// Puts the value back, unless someone has changed it since.
    func restoreARP(_ value: String) throws(SmallFile.Failure) {
        guard try SmallFile.text(Self.arpIgnore).hasPrefix("3") else { return }
        try SmallFile.write(value, to: Self.arpIgnore)
    }

    // MARK: Routes

    /// Makes our routes the wanted ones; returns what could not be done, a sentence each.
    func apply(routes: [PodRoute], ownPods: AddressBlock?) throws(NetlinkError) -> [String] {
        var socket = try NetlinkSocket()
        let plan = RoutePlan(wanted: routes, ownPods: ownPods, existing: try self.routes(&socket))
        var problems = plan.conflicts
        for route in plan.remove { try remove(route, &socket) }
        for route in plan.add {
            let gateway = route.gateway.map { "\($0)" } ?? "?"
            do {
                try socket.change(
                    "route \(route.destination) by \(gateway)", kind: Netlink.Kind.newRoute,
                    flags: Netlink.Flag.create | Netlink.Flag.replace, payload: route.payload())
            } catch {
                // A node on another network is not a neighbour: the others' routes still count.
                problems.append("\(error)")
            }
        }
        return problems
    }

    func removeRoutes() throws(NetlinkError) {
        var socket = try NetlinkSocket()
        for route in RoutePlan(wanted: [], ownPods: nil, existing: try routes(&socket)).remove { try remove(route, &socket) }
    }

    private func remove(_ route: KernelRoute, _ socket: inout NetlinkSocket) throws(NetlinkError) {
        do {
            try socket.change(
                "remove the route to \(route.destination)", kind: Netlink.Kind.deleteRoute, payload: route.payload(deleting: true))
        } catch  where error.errno == ESRCH {
            // Gone already, with its interface.
        }
    }

    private func routes(_ socket: inout NetlinkSocket) throws(NetlinkError) -> [KernelRoute] {
        var routes: [KernelRoute] = []
        for family in [Netlink.familyIPv4, Netlink.familyIPv6] {
            routes += try socket.dump("list routes", kind: Netlink.Kind.getRoute, payload: KernelRoute.dumpPayload(family: family))
                .compactMap { KernelRoute($0) }
        }
        return routes
    }
}
