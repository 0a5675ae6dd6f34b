import NIOCore
import Synchronization
import Tunnel

/// Who may use the node-local API address: this machine, and its own pods.
final class SourceFilter: Sendable {
    private struct Known {
        var addresses: Set<IPAddress> = []
        var readAt: ContinuousClock.Instant?
    }

    private let pods: AddressBlock?
    private let readAddresses: @Sendable () -> Set<IPAddress>
    private let known = Mutex(Known())

    init(pods: AddressBlock?, readAddresses: @escaping @Sendable () -> Set<IPAddress> = SourceFilter.machineAddresses) {
        self.pods = pods
        self.readAddresses = readAddresses
    }

    func allows(_ source: IPAddress, now: ContinuousClock.Instant = .now) -> Bool {
        if pods?.contains(source) == true { return true }
        return known.withLock { known in
            if known.addresses.contains(source) { return true }
            // An interface may have come up since; a stranger who keeps knocking does not make us look each time.
            if let readAt = known.readAt, now - readAt < .seconds(1) { return false }
            known.readAt = now
            known.addresses = readAddresses()
            return known.addresses.contains(source)
        }
    }

    static func machineAddresses() -> Set<IPAddress> {
        guard let devices = try? System.enumerateDevices() else { return [] }
        return Set(devices.compactMap { $0.address?.ip })
    }
}
