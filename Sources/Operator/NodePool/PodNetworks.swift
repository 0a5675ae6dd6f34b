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

    mutating func next() -> String? {
        while let part = network?.subnet(at: position, prefixLength: partLength)?.description {
            position += 1
            if taken.insert(part).inserted { return part }
        }
        return nil
    }
}
