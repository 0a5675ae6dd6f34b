import NestboxAPI

/// Hands out the pod networks of a cluster's nodes: equal parts of the cluster's pod CIDR, lowest first, none twice.
struct PodNetworks {
    private let base: UInt32
    private let count: UInt32
    private let partLength: Int
    private var taken: Set<String>
    private var position: UInt32 = 0

    /// Parts are /24, or a 256th of a network that is smaller than a /16.
    init(clusterCIDR: String, taken: [String]) {
        self.taken = Set(taken)
        guard let network = IPv4Network(clusterCIDR) else {
            (base, count, partLength) = (0, 0, 24)
            return
        }
        base = network.address
        partLength = max(24, min(28, network.prefixLength + 8))
        count = network.prefixLength > partLength ? 0 : 1 << UInt32(partLength - network.prefixLength)
    }

    mutating func next() -> String? {
        while position < count {
            let address = base + position << UInt32(32 - partLength)
            let part = IPv4Network(address: address, prefixLength: partLength).description
            position += 1
            if taken.insert(part).inserted { return part }
        }
        return nil
    }
}
