extension FieldErrors {
    mutating func checkEtcd(_ spec: HostedClusterSpec) {
        let path = "spec.etcd"
        require(spec.etcd?.image, is: .image, at: "\(path).image")
        require(spec.etcd?.storage?.size, is: .quantity, at: "\(path).storage.size")
        require(spec.etcd?.storage?.storageClassName, is: .dnsName, at: "\(path).storage.storageClassName")
        guard let external = spec.etcd?.external else { return }
        checkExternalEtcd(external, at: "\(path).external")
        require(
            spec.release != TemplateRevision.first.release, "\(path).external",
            "release \(TemplateRevision.first.release) knows none; it takes \(TemplateRevision.second.release) or a newer one")
        let ofOurs = [
            ("\(path).image", spec.etcd?.image == nil), ("\(path).storage", spec.etcd?.storage == nil),
            ("spec.controlPlane.resources[etcd]", spec.controlPlane?.resources?["etcd"] == nil),
            ("spec.controlPlane.extraArguments.etcd", spec.controlPlane?.extraArguments?.etcd?.isEmpty ?? true),
        ]
        for (field, isLeftOut) in ofOurs {
            require(isLeftOut, field, "is for an etcd that Nestbox runs, and this one is external: leave it out")
        }
    }

    private mutating func checkExternalEtcd(_ external: ExternalEtcdSpec, at path: String) {
        let endpoints = external.endpoints ?? []
        require(!endpoints.isEmpty, "\(path).endpoints", "is needed, such as [https://etcd-1.example.net:2379]")
        for (index, endpoint) in endpoints.enumerated() {
            require(endpoint, is: .etcdEndpoint, at: "\(path).endpoints[\(index)]")
            require(!endpoints[..<index].contains(endpoint), "\(path).endpoints[\(index)]", "\(quoted(endpoint)) is there twice")
        }
        require(external.secretName != nil, "\(path).secretName", "is needed: a Secret with ca.crt, tls.crt and tls.key")
        require(external.secretName, is: .dnsName, at: "\(path).secretName")
    }
}

extension Syntax {
    static let etcdEndpoint = Syntax(description: "an endpoint such as https://etcd-1.example.net:2379") { text in
        guard text.hasPrefix("https://") else { return false }
        let parts = text.dropFirst("https://".count).split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && isPort(parts[1]) && Syntax.host.accepts(String(parts[0]))
    }
}
