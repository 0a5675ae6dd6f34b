extension FieldErrors {
    /// An etcd that somebody else runs, and nothing that only goes with one of Nestbox's own.
    mutating func checkEtcd(_ spec: EtcdSpec?, release: String?, at path: String) {
        require(spec?.image, is: .image, at: "\(path).image")
        require(spec?.storage?.size, is: .quantity, at: "\(path).storage.size")
        require(spec?.storage?.storageClassName, is: .dnsName, at: "\(path).storage.storageClassName")
        guard let external = spec?.external else { return }
        require(spec?.image == nil, "\(path).image", "an external etcd is run by others: leave it out")
        require(spec?.storage == nil, "\(path).storage", "an external etcd is run by others: leave it out")
        require(
            release != TemplateRevision.first.release, "\(path).external",
            "release \(TemplateRevision.first.release) knows none; it takes \(TemplateRevision.second.release) or a newer one")
        let path = "\(path).external"
        let endpoints = external.endpoints ?? []
        require(!endpoints.isEmpty, "\(path).endpoints", "is needed, such as [https://etcd-1.example.net:2379]")
        for (index, endpoint) in endpoints.enumerated() { require(endpoint, is: .etcdEndpoint, at: "\(path).endpoints[\(index)]") }
        require(external.secretName != nil, "\(path).secretName", "is needed: a Secret with ca.crt, tls.crt and tls.key")
        require(external.secretName, is: .dnsName, at: "\(path).secretName")
    }
}

extension Syntax {
    static let etcdEndpoint = Syntax(description: "an endpoint such as https://etcd-1.example.net:2379") { text in
        guard text.hasPrefix("https://") else { return false }
        let parts = text.dropFirst("https://".count).split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = Int(parts[1]), (1...65535).contains(port) else { return false }
        return IPv4Address(String(parts[0])) != nil || Syntax.dnsName.accepts(String(parts[0]))
    }
}
