import FoundationEssentials
import KubernetesAPI
import KubernetesVersions
import NestboxAPI

@testable import ControlPlane

/// A cluster and keys that are the same on every run: rendering reads no key, so these need not be real.
enum Fixture {
    static let now = Date(timeIntervalSince1970: 1_785_585_600)

    static func cluster(
        _ version: KubernetesVersion, revision: TemplateRevision = .newest, _ change: (inout HostedClusterSpec) -> Void = { _ in }
    ) -> HostedCluster {
        var spec = HostedClusterSpec(version: version, release: revision.release)
        change(&spec)
        return HostedCluster(
            metadata: ObjectMeta(name: "demo", namespace: "tenants", uid: "11111111-2222-3333-4444-555555555555"), spec: spec)
    }

    static var keys: ClusterKeys {
        func authority(_ name: String) -> CertificateAuthority {
            CertificateAuthority(certificatePEM: "certificate of \(name)\n", keyPEM: "key of \(name)\n")
        }
        let leaves = Leaf.allCases.map { leaf in
            (leaf, IssuedCertificate(certificatePEM: "certificate of \(leaf.rawValue)\n", keyPEM: "key of \(leaf.rawValue)\n"))
        }
        return ClusterKeys(
            cluster: authority("cluster"), etcd: authority("etcd"), frontProxy: authority("front proxy"),
            serviceAccount: ServiceAccountKey(privatePEM: "private\n", publicPEM: "public\n"),
            leaves: Dictionary(uniqueKeysWithValues: leaves))
    }

    static func input(_ cluster: HostedCluster, host: KubernetesVersion? = nil, coreDNSImage: String? = nil) throws -> ControlPlaneInput {
        try ControlPlaneInput(
            cluster: cluster, keys: keys,
            endpoints: PublishedEndpoints(api: ["192.0.2.10:30001"], tunnel: ["192.0.2.10:30002"]),
            etcdServiceAddresses: (0..<3).map { "10.0.0.2\($0)" },
            hostVersion: host ?? KubernetesVersion(1, 20, 2), coreDNSImage: coreDNSImage)
    }
}
