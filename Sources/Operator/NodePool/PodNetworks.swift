import NestboxAPI

/// Hands out the pod networks of a cluster's nodes: equal parts of the cluster's pod CIDR, lowest first, none twice.
struct PodNetworks {
    private let network: IPv4Network?
    private let partLength: Int
    private var taken: Set<String>
    private var position = 0

    /// Parts are /24, or a 256th of a network that is smaller than a /16.
    init(clusterCIDR: String, taken: [String]) {
        self.taken = Set(taken)
        network = IPv4Network(clusterCIDR)
        partLength = max(24, min(28, (network?.prefixLength ?? 16) + 8))
    }

    /// As `next`, from the other end: who hands out from both ends at once hands out none twice while there is room.
    mutating func nextFromEnd() -> String? {
        guard let network else { return nil }
        var index = network.count(ofPrefixLength: partLength) - 1
        while index >= 0 {
            if let part = network.subnet(at: index, prefixLength: partLength)?.description, taken.insert(part).inserted { return part }
            index -= 1
        }
        return nil
    }

    mutating func next() -> String? {
        while let part = network?.subnet(at: position, prefixLength: partLength)?.description {
            position += 1
            if taken.insert(part).inserted { return part }
        }
        return nil
    }
}
