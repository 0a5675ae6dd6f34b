import FoundationEssentials
import KubernetesAPI
import NestboxAPI

extension ClusterKeys {
    /// All certificates, authorities first, as a status shows them.
    public func records(_ settings: ClusterSettings) throws(PKIError) -> [CertificateStatus] {
        let authorities = try authorityFacts()
        var records: [CertificateStatus] = []
        for authority in Leaf.Authority.allCases {
            guard let facts = authorities[authority] else { continue }
            records.append(
                CertificateStatus(
                    name: authority.name, kind: .authority, notBefore: Timestamp.format(facts.notBefore),
                    notAfter: Timestamp.format(facts.notAfter)))
        }
        for leaf in Leaf.allCases {
            guard let issued = leaves[leaf], let authority = authorities[leaf.authority] else { continue }
            let facts = try CertificateFacts(certificatePEM: issued.certificatePEM)
            records.append(
                CertificateStatus(
                    name: leaf.rawValue, kind: .leaf, notBefore: Timestamp.format(facts.notBefore),
                    notAfter: Timestamp.format(facts.notAfter),
                    renewal: Renewal.time(of: facts, authority: authority).map(Timestamp.format),
                    takenUp: leaf.isReloaded(settings) ? .reload : .rollout))
        }
        return records
    }
}

extension Leaf.Authority {
    /// Its Secret's.
    public var name: String {
        switch self {
        case .cluster: KeySecret.clusterCA.rawValue
        case .etcd: KeySecret.etcdCA.rawValue
        case .frontProxy: KeySecret.frontProxyCA.rawValue
        }
    }
}
