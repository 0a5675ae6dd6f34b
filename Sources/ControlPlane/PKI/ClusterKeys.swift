import FoundationEssentials
import KubernetesAPI

/// All keys of one tenant: three authorities, the service-account key, and the certificates that its control plane runs on.
public struct ClusterKeys: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public var cluster: CertificateAuthority
    public var etcd: CertificateAuthority
    public var frontProxy: CertificateAuthority
    public var serviceAccount: ServiceAccountKey
    public var leaves: [Leaf: IssuedCertificate]

    public init(
        cluster: CertificateAuthority, etcd: CertificateAuthority, frontProxy: CertificateAuthority, serviceAccount: ServiceAccountKey,
        leaves: [Leaf: IssuedCertificate] = [:]
    ) {
        self.cluster = cluster
        self.etcd = etcd
        self.frontProxy = frontProxy
        self.serviceAccount = serviceAccount
        self.leaves = leaves
    }

    /// New authorities and a new service-account key, save those that the Secrets hold whole, which are kept, with their leaves.
    /// Only for a cluster that never served: one whose keys are gone is lost (`ControlPlaneLost`), and new ones would only hide it.
    public static func make(
        _ settings: ClusterSettings, keeping secrets: [Secret] = [], now: Date
    ) throws(PKIError) -> ClusterKeys {
        let kept = KeyFiles(secrets)
        func authority(_ secret: KeySecret, _ name: String) throws(PKIError) -> CertificateAuthority {
            if let certificate = kept.file(secret, "tls.crt"), let key = kept.file(secret, "tls.key") {
                return CertificateAuthority(certificatePEM: certificate, keyPEM: key)
            }
            return try CertificateAuthority(commonName: name, lifetime: settings.caLifetime, now: now)
        }
        var serviceAccount = ServiceAccountKey()
        if let publicKey = kept.file(.serviceAccountKey, "sa.pub"), let privateKey = kept.file(.serviceAccountKey, "sa.key") {
            serviceAccount = ServiceAccountKey(privatePEM: privateKey, publicPEM: publicKey)
        }
        return ClusterKeys(
            cluster: try authority(.clusterCA, "kubernetes"), etcd: try authority(.etcdCA, "etcd-ca"),
            frontProxy: try authority(.frontProxyCA, "front-proxy-ca"), serviceAccount: serviceAccount, leaves: kept.leaves)
    }

    public func authority(_ authority: Leaf.Authority) -> CertificateAuthority {
        switch authority {
        case .cluster: cluster
        case .etcd: etcd
        case .frontProxy: frontProxy
        }
    }

    /// Which leaves are to be made anew, and why.
    ///
    /// - Parameter asked: those that somebody wants made anew, however long they last.
    public func renewals(
        _ settings: ClusterSettings, published: [String], asked: Set<Leaf> = [], now: Date
    ) throws(PKIError) -> [(leaf: Leaf, reason: RenewalReason)] {
        let authorities = try authorityFacts()
        var renewals: [(leaf: Leaf, reason: RenewalReason)] = []
        for leaf in Leaf.allCases {
            guard let authority = authorities[leaf.authority] else { continue }
            let wanted = leaf.request(settings, published: published)
            if let reason = Renewal.reason(for: leaves[leaf], wanted: wanted, authority: authority, now: now) {
                renewals.append((leaf, reason))
            } else if asked.contains(leaf) {
                renewals.append((leaf, .asked))
            }
        }
        return try renewals + beside(renewals.map(\.leaf), settings, authorities, now: now)
    }

    /// Leaves of all ages are made anew with one rollout, not with one each.
    private func beside(
        _ due: [Leaf], _ settings: ClusterSettings, _ authorities: [Leaf.Authority: CertificateFacts], now: Date
    ) throws(PKIError) -> [(leaf: Leaf, reason: RenewalReason)] {
        guard due.contains(where: { !$0.isReloaded(settings) }) else { return [] }
        var beside: [(leaf: Leaf, reason: RenewalReason)] = []
        for leaf in Leaf.allCases where !leaf.isReloaded(settings) && !due.contains(leaf) {
            guard let issued = leaves[leaf], let authority = authorities[leaf.authority] else { continue }
            let facts = try CertificateFacts(certificatePEM: issued.certificatePEM)
            let half = facts.notBefore.addingTimeInterval(facts.notAfter.timeIntervalSince(facts.notBefore) / 2)
            if now >= half, !Renewal.isBound(facts, to: authority) { beside.append((leaf, .besideAnother)) }
        }
        return beside
    }

    func authorityFacts() throws(PKIError) -> [Leaf.Authority: CertificateFacts] {
        var facts: [Leaf.Authority: CertificateFacts] = [:]
        for authority in Leaf.Authority.allCases {
            facts[authority] = try CertificateFacts(certificatePEM: self.authority(authority).certificatePEM)
        }
        return facts
    }

    /// The keys with every leaf that is due made anew, and what was.
    public func renewed(
        _ settings: ClusterSettings, published: [String], asked: Set<Leaf> = [], now: Date
    ) throws(PKIError) -> (keys: ClusterKeys, renewals: [(leaf: Leaf, reason: RenewalReason)]) {
        var keys = self
        let renewals = try renewals(settings, published: published, asked: asked, now: now)
        for (leaf, _) in renewals {
            keys.leaves[leaf] = try authority(leaf.authority).issue(leaf.request(settings, published: published), now: now)
        }
        return (keys, renewals)
    }

    /// When to look again: the first leaf's time to be renewed; nil when none will be.
    public func nextRenewal() -> Date? {
        guard let authorities = try? authorityFacts() else { return nil }
        return leaves.compactMap { leaf, issued -> Date? in
            guard let facts = try? CertificateFacts(certificatePEM: issued.certificatePEM), let authority = authorities[leaf.authority]
            else { return nil }
            return Renewal.time(of: facts, authority: authority)
        }.min()
    }

    /// The tenant's certificate of that leaf; one that is missing is an error of the caller's order of work.
    func leaf(_ leaf: Leaf) throws(PKIError) -> IssuedCertificate {
        guard let issued = leaves[leaf] else {
            throw PKIError("the certificate \"\(leaf.rawValue)\" was not issued yet")
        }
        return issued
    }

    public var description: String { "the keys of a cluster" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension ClusterKeys {
    /// A client certificate in `system:masters` that lives for an hour and is kept nowhere.
    ///
    /// Somebody has to write the first RBAC of a tenant, and to write it again when the tenant, who is cluster-admin, has broken it.
    /// The control-planes operator holds the authority anyway, so minting this when it is needed gives it no power it lacks, and no
    /// lasting credential of that group exists. All other work is done as `system:nestbox:operator`, whose rights RBAC bounds.
    public func bootstrapClient(now: Date) throws(PKIError) -> IssuedCertificate {
        try cluster.issue(
            CertificateRequest(
                commonName: NestboxName.bootstrapUser, organizations: ["system:masters"], usages: [.client], lifetime: 3600),
            now: now)
    }

    /// The tenant's admin: a user of its own, cluster-admin by RBAC, so that it can be taken away; never `system:masters`.
    public func adminClient(_ settings: ClusterSettings, now: Date) throws(PKIError) -> IssuedCertificate {
        try cluster.issue(
            CertificateRequest(commonName: NestboxName.adminUser, usages: [.client], lifetime: settings.kubeconfigLifetime), now: now)
    }
}
