extension FieldErrors {
    mutating func checkCoreDNS(_ spec: CoreDNSSpec?, network: NetworkSpec?, at path: String) {
        guard let spec else { return }
        require(spec.image, is: .image, at: "\(path).image")
        let upstreams = spec.upstreams ?? []
        require(upstreams.count <= 15, "\(path).upstreams", "has \(upstreams.count) entries: CoreDNS takes no more than 15")
        let itself = network?.services.flatMap { IPv4Network($0) }?.clusterDNSAddress
        for (index, upstream) in upstreams.enumerated() {
            let path = "\(path).upstreams[\(index)]"
            require(upstream, is: .upstream, at: path)
            guard let address = upstream.split(separator: ":").first.flatMap({ IPv4Address($0) }) else { continue }
            // A pod's loopback is its own, also under 0.0.0.0. A cloud's resolver may be at a link-local address.
            if address == itself || [0, 127].contains(address.bits >> 24) {
                add(path, "\(address) is cluster DNS itself: it would ask itself without end")
            }
        }
    }
}

extension Syntax {
    static let upstream = Syntax(description: "a DNS server's IPv4 address such as 10.0.0.53 or 10.0.0.53:5353") { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return IPv4Address(parts[0]) != nil && (parts.count == 1 || parts.count == 2 && isPort(parts[1]))
    }
}
