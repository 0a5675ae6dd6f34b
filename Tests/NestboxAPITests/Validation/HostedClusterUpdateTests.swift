import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@Suite struct HostedClusterUpdateTests {
    static func cluster(_ spec: HostedClusterSpec, serving: KubernetesVersion? = nil) -> HostedCluster {
        HostedCluster(
            metadata: ObjectMeta(name: "demo", namespace: "tenants"), spec: spec,
            status: serving.map { HostedClusterStatus(version: $0) })
    }

    static func refusals(from old: HostedClusterSpec, to new: HostedClusterSpec, serving: KubernetesVersion? = nil) -> [String] {
        let (version, newVersion) = (old.version ?? KubernetesVersion(1, 30, 1), new.version ?? KubernetesVersion(1, 30, 1))
        var (old, new) = (old, new)
        old.version = version
        new.version = newVersion
        return cluster(new, serving: serving).validateUpdate(from: cluster(old, serving: serving)).map(\.description)
    }

    static let fixed: [(HostedClusterSpec, String)] = [
        (
            HostedClusterSpec(network: NetworkSpec(pods: "10.10.0.0/16")),
            "spec.network.pods: cannot be changed from 10.244.0.0/16 to 10.10.0.0/16: nodes, pods and certificates were made with it"
        ),
        (
            HostedClusterSpec(network: NetworkSpec(services: "10.10.0.0/16")),
            "spec.network.services: cannot be changed from 10.96.0.0/16 to 10.10.0.0/16: nodes, pods and certificates were made with it"
        ),
        (
            HostedClusterSpec(network: NetworkSpec(dnsDomain: "k.local")),
            "spec.network.dnsDomain: cannot be changed from cluster.local to k.local: nodes, pods and certificates were made with it"
        ),
        (
            HostedClusterSpec(network: NetworkSpec(nodeLocalAPIAddress: "172.21.0.1")),
            "spec.network.nodeLocalAPIAddress: cannot be changed from 172.20.0.1 to 172.21.0.1: nodes, pods and certificates were made with it"
        ),
        (
            HostedClusterSpec(network: NetworkSpec(cni: "none")),
            "spec.network.cni: cannot be changed from bridge to none: nodes were joined with it"
        ),
        (
            HostedClusterSpec(etcd: EtcdSpec(storage: EtcdStorageSpec(size: "16Gi"))),
            "spec.etcd.storage.size: cannot be changed from 8Gi to 16Gi: etcd's volume is made with the cluster"
        ),
        (
            HostedClusterSpec(etcd: EtcdSpec(storage: EtcdStorageSpec(storageClassName: "fast"))),
            "spec.etcd.storage.storageClassName: cannot be changed from nothing to fast: etcd's volume is made with the cluster"
        ),
    ]

    @Test func replicasGrowAndShrinkFromTheSecondReleaseOn() {
        func spec(_ replicas: Int, _ release: String?) -> HostedClusterSpec {
            HostedClusterSpec(release: release, controlPlane: ControlPlaneSpec(replicas: replicas))
        }
        #expect(Self.refusals(from: spec(1, "v0.2.0"), to: spec(3, "v0.2.0")) == [])
        #expect(Self.refusals(from: spec(3, "v0.2.0"), to: spec(1, "v0.2.0")) == [])
        #expect(Self.refusals(from: spec(1, "v0.1.0"), to: spec(1, "v0.1.0")) == [])
        let refusal =
            "spec.controlPlane.replicas: cannot be changed from 1 to 3: release v0.1.0 cannot; "
            + "upgrade it first: nestbox upgrade cluster demo --release v0.2.0"
        // Not in one step with the release either.
        for release in ["v0.1.0", "v0.2.0"] { #expect(Self.refusals(from: spec(1, "v0.1.0"), to: spec(3, release)).contains(refusal)) }
        var served = Self.cluster(spec(1, nil))
        served.status = HostedClusterStatus(release: "v0.1.0")
        #expect(Self.cluster(spec(3, nil)).validateUpdate(from: served).map(\.description) == [refusal])
    }

    @Test(arguments: fixed) func whatIsBuiltStays(changed: HostedClusterSpec, line: String) {
        #expect(Self.refusals(from: HostedClusterSpec(), to: changed) == [line])
        #expect(Self.refusals(from: changed, to: HostedClusterSpec()).count == 1)
        #expect(Self.refusals(from: changed, to: changed) == [])
    }

    @Test func namingADefaultIsNoChange() {
        let named = Self.cluster(HostedClusterSpec(version: KubernetesVersion(1, 30, 1))).withDefaults()
        let unnamed = Self.cluster(HostedClusterSpec(version: KubernetesVersion(1, 30, 1)))
        #expect(named.validateUpdate(from: unnamed) == [] && unnamed.validateUpdate(from: named) == [])
    }

    @Test func theRestMayChange() {
        let changed = HostedClusterSpec(
            release: "v0.2.0",
            controlPlane: ControlPlaneSpec(priorityClassName: "high", extraArguments: ExtraArguments(scheduler: ["v": "2"])),
            publish: PublishSpec(type: "LoadBalancer"), certificates: CertificatesSpec(leafLifetime: "720h"),
            addons: AddonsSpec(coreDNS: CoreDNSSpec(enabled: false)), join: JoinSpec(kubeadm: true), pausedUntil: "2030-01-01T00:00:00Z")
        #expect(Self.refusals(from: HostedClusterSpec(), to: changed) == [])
    }

    @Test(arguments: [
        (KubernetesVersion(1, 30, 9), nil), (KubernetesVersion(1, 31, 0), nil),
        (KubernetesVersion(1, 32, 0), "v1.32.0 is more than one minor release after v1.30.1: upgrade to 1.31 first"),
        (KubernetesVersion(1, 30, 0), "v1.30.0 is older than v1.30.1, and a control plane cannot go back"),
        (KubernetesVersion(1, 29, 9), "v1.29.9 is older than v1.30.1, and a control plane cannot go back"),
    ])
    func oneMinorReleaseAtATime(target: KubernetesVersion, refusal: String?) {
        let lines = Self.refusals(from: HostedClusterSpec(), to: HostedClusterSpec(version: target))
        #expect(lines == (refusal.map { ["spec.version: \($0)"] } ?? []))
    }

    /// Two quick steps are one long one, while the first has not been made.
    @Test func countsFromWhatServes() {
        let lines = Self.refusals(
            from: HostedClusterSpec(version: KubernetesVersion(1, 31, 0)), to: HostedClusterSpec(version: KubernetesVersion(1, 32, 0)),
            serving: KubernetesVersion(1, 30, 1))
        #expect(lines == ["spec.version: v1.32.0 is more than one minor release after v1.30.1: upgrade to 1.31 first"])
    }
}
