extension FieldErrors {
    mutating func checkNetwork(_ network: NetworkSpec?, at path: String) {
        guard let network else { return }
        let pods = checkCIDR(network.pods, at: "\(path).pods", lengths: 8...24, room: "each node takes a part of it")
        let services = checkCIDR(
            network.services, at: "\(path).services", lengths: 12...28, room: "kube-apiserver takes no more than 20 bits, and needs 4")
        if let pods, let services, pods.overlaps(services) { add("\(path).services", "\(services) overlaps spec.network.pods, \(pods)") }
        checkNodeLocalAddress(network.nodeLocalAPIAddress, pods: pods, services: services, at: "\(path).nodeLocalAPIAddress")
        require(network.dnsDomain, is: .dnsName, at: "\(path).dnsDomain")
        require(network.cni, isOneOf: ["bridge", "none"], at: "\(path).cni")
    }

    private mutating func checkCIDR(_ text: String?, at path: String, lengths: ClosedRange<Int>, room: String) -> IPv4Network? {
        guard let text else { return nil }
        guard let network = IPv4Network(text) else {
            let hint = IPv4Network.containing(text).map { "; did you mean \($0)?" } ?? ", such as \(Defaults.podNetwork)"
            add(path, "\(quoted(text)) is not an IPv4 CIDR\(hint)")
            return nil
        }
        if !lengths.contains(network.prefixLength) {
            add(path, "\(network) is not between /\(lengths.lowerBound) and /\(lengths.upperBound): \(room)")
        }
        if let special = IPv4Network.special.first(where: { $0.network.overlaps(network) }) {
            add(path, "\(network) overlaps \(special.network), \(special.meaning)")
        }
        return network
    }

    private mutating func checkNodeLocalAddress(_ text: String?, pods: IPv4Network?, services: IPv4Network?, at path: String) {
        require(text, is: .address, at: path)
        guard let address = text.flatMap({ IPv4Address($0) }) else { return }
        checkUsable(address, at: path)
        if let pods, pods.contains(address) { add(path, "\(address) is inside spec.network.pods, \(pods)") }
        if let services, services.contains(address) { add(path, "\(address) is inside spec.network.services, \(services)") }
    }

    /// Refuses addresses that no host answers at for others.
    mutating func checkUsable(_ address: IPv4Address, at path: String) {
        guard let special = IPv4Network.special.first(where: { $0.network.contains(address) }) else { return }
        add(path, "\(address) is of \(special.network), \(special.meaning)")
    }

    mutating func checkPublish(_ publish: PublishSpec?, network: NetworkSpec?, at path: String) {
        guard let publish else { return }
        require(publish.type, isOneOf: ["NodePort", "LoadBalancer"], at: "\(path).type")
        require(publish.externalTrafficPolicy, isOneOf: ["Local", "Cluster"], at: "\(path).externalTrafficPolicy")
        if let addresses = publish.addresses {
            require(publish.type != "LoadBalancer", "\(path).addresses", "a LoadBalancer brings its own; leave them out")
            require(!addresses.isEmpty, "\(path).addresses", "is empty; leave it out to publish the host nodes' own")
            for (index, address) in addresses.enumerated() {
                let path = "\(path).addresses[\(index)]"
                require(address, is: .host, at: path)
                if let clash = network?.clash(withHostAt: address) { add(path, "\(clash): nodes would not reach it") }
            }
        }
        for (index, name) in (publish.subjectAlternativeNames ?? []).enumerated() {
            require(name, is: .subjectName, at: "\(path).subjectAlternativeNames[\(index)]")
        }
    }
}

extension NetworkSpec {
    /// Why a host outside the cluster may not have that address, in words; nil when it may, and for a name.
    public func clash(withHostAt text: String) -> String? {
        guard let address = IPv4Address(text) else { return nil }
        if let pods = pods.flatMap({ IPv4Network($0) }), pods.contains(address) { return "\(address) is inside spec.network.pods, \(pods)" }
        if let services = services.flatMap({ IPv4Network($0) }), services.contains(address) {
            return "\(address) is inside spec.network.services, \(services)"
        }
        return text == nodeLocalAPIAddress ? "\(address) is spec.network.nodeLocalAPIAddress" : nil
    }
}

extension IPv4Network {
    /// Blocks that are never a network of pods, Services or machines (RFC 6890).
    static let special: [(network: IPv4Network, meaning: String)] = [
        ("0.0.0.0/8", "which means this host"), ("127.0.0.0/8", "which is loopback"), ("169.254.0.0/16", "which is link-local"),
        ("224.0.0.0/4", "which is multicast"), ("240.0.0.0/4", "which is reserved"),
    ].compactMap { text, meaning in IPv4Network(text).map { ($0, meaning) } }

    /// The block that somebody meant who wrote one with host bits, `10.244.1.7/16`.
    static func containing(_ text: String) -> IPv4Network? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(parts[0]), let length = Int(parts[1]), (1...32).contains(length) else {
            return nil
        }
        let hostBits = UInt32(32 - length)
        let base = hostBits == 0 ? address.bits : (address.bits >> hostBits) << hostBits
        return IPv4Network(base: IPv4Address(bits: base), prefixLength: length)
    }
}
