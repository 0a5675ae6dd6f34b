import ControlPlane
import FoundationEssentials

/// The host cluster's keys, as files. Kept as long as they serve: a lab that comes up again has the same authority.
struct HostCertificates: Sendable {
    let folder: String
    let addresses: AddressPlan
    /// Whose kubelet's it is; all else is of the cluster.
    let node: HostNode

    enum Name: String, CaseIterable {
        case apiServer = "apiserver"
        case kubeletClient = "apiserver-kubelet-client"
        case kubelet
        case controllerManager = "controller-manager"
        case scheduler
        case proxy
        case admin
    }

    private static let lifetime: TimeInterval = 365 * 24 * 3600
    private static let authorityLifetime: TimeInterval = 10 * lifetime

    var authorityCertificate: String { "\(folder)/ca.crt" }
    var authorityKey: String { "\(folder)/ca.key" }
    var serviceAccountKey: String { "\(folder)/service-account.key" }
    var serviceAccountPublicKey: String { "\(folder)/service-account.pub" }
    func certificate(_ name: Name) -> String { "\(folder)/\(stem(name)).crt" }
    func key(_ name: Name) -> String { "\(folder)/\(stem(name)).key" }

    private func stem(_ name: Name) -> String {
        name == .kubelet && !node.isEmbedded ? "\(name.rawValue)-\(node.name)" : name.rawValue
    }

    /// Makes what is missing or due, and returns the pairs and the authority's certificate.
    func ensure(now: Date = Date()) throws -> (authority: String, issued: [Name: IssuedCertificate]) {
        try Files.createFolder(folder, mode: 0o700)
        let authority = try ensureAuthority(now: now)
        let facts = try CertificateFacts(certificatePEM: authority.certificatePEM)
        if !Files.exists(serviceAccountKey) {
            let pair = ServiceAccountKey()
            try Files.write(pair.publicPEM, to: serviceAccountPublicKey)
            try Files.write(pair.privatePEM, to: serviceAccountKey, mode: 0o600)
        }
        var issued: [Name: IssuedCertificate] = [:]
        for name in Name.allCases {
            let wanted = request(name)
            var pair = try existing(name)
            if Renewal.reason(for: pair, wanted: wanted, authority: facts, now: now) != nil {
                let fresh = try authority.issue(wanted, now: now)
                try Files.write(fresh.keyPEM, to: key(name), mode: 0o600)
                try Files.write(fresh.certificatePEM, to: certificate(name))
                pair = fresh
            }
            issued[name] = pair
        }
        return (authority.certificatePEM, issued)
    }

    private func ensureAuthority(now: Date) throws -> CertificateAuthority {
        if let certificate = try Files.text(ifThere: authorityCertificate), let key = try Files.text(ifThere: authorityKey) {
            return CertificateAuthority(certificatePEM: certificate, keyPEM: key)
        }
        let authority = try CertificateAuthority(commonName: "nestbox-lab", lifetime: Self.authorityLifetime, now: now)
        try Files.write(authority.keyPEM, to: authorityKey, mode: 0o600)
        try Files.write(authority.certificatePEM, to: authorityCertificate)
        return authority
    }

    private func existing(_ name: Name) throws -> IssuedCertificate? {
        guard let certificate = try Files.text(ifThere: certificate(name)), let key = try Files.text(ifThere: key(name)) else { return nil }
        return IssuedCertificate(certificatePEM: certificate, keyPEM: key)
    }

    func request(_ name: Name) -> CertificateRequest {
        func client(_ user: String, _ groups: [String] = []) -> CertificateRequest {
            CertificateRequest(commonName: user, organizations: groups, usages: [.client], lifetime: Self.lifetime)
        }
        switch name {
        case .apiServer:
            return CertificateRequest(
                commonName: "kube-apiserver",
                dnsNames: ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"],
                ipAddresses: ["127.0.0.1", "\(addresses.host)", "\(addresses.apiService)"], usages: [.server], lifetime: Self.lifetime)
        case .kubelet:
            // Its serving certificate, and its identity as a node: the lab knows its nodes, and needs no bootstrap.
            return CertificateRequest(
                commonName: "system:node:\(node.name)", organizations: ["system:nodes"], dnsNames: [node.name],
                ipAddresses: [node.address], usages: [.server, .client], lifetime: Self.lifetime)
        case .kubeletClient: return client("nestbox-lab-apiserver", ["system:masters"])
        case .controllerManager: return client("system:kube-controller-manager")
        case .scheduler: return client("system:kube-scheduler")
        case .proxy: return client("system:kube-proxy")
        case .admin: return client("nestbox-lab-admin", ["system:masters"])
        }
    }
}
