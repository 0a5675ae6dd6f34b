import Logging
import Tunnel

/// What `nestbox-node` adds to its machine, and how it takes it away. Blocking.
struct NodeSetup: Sendable {
    let configuration: NodeConfiguration
    let logger: Logger
    var network = NodeNetwork()
    var directory: StateDirectory { StateDirectory(path: configuration.stateDirectory) }

    /// Makes the node-local API address and keeps it to this machine.
    func prepare() throws {
        guard let address = configuration.apiAddress.address else { return }
        try directory.prepare()
        var owned = try directory.owned()
        if try !network.holds(address) {
            // Written down first: after a crash in between there is nothing to remove, which does no harm.
            if !owned.addresses.contains(address) {
                owned.addresses.append(address)
                try directory.save(owned)
            }
            try network.addLoopbackAddress(address)
            logger.info("added the node-local API address", metadata: ["address": "\(address)"])
        }
        do {
            if let before = try network.silenceARP() {
                owned.arpIgnore = before
                try directory.save(owned)
            }
        } catch {
            // Where the sysctl cannot be written the forwarder's own filter still refuses neighbours.
            logger.warning("neighbours may learn of the node-local API address by ARP", metadata: ["error": "\(error)"])
        }
    }

    /// Takes away all that any run added. Goes on after a failure, and reports the first.
    func cleanUp() throws {
        var failure: (any Error)?
        func attempt(_ body: () throws -> Void) {
            do { try body() } catch { failure = failure ?? error }
        }
        let owned = try directory.owned()
        attempt { try network.removeRoutes() }
        for address in owned.addresses { attempt { try network.removeLoopbackAddress(address) } }
        if let value = owned.arpIgnore { attempt { try network.restoreARP(value) } }
        if let failure { throw failure }
        try directory.remove()
    }
}
