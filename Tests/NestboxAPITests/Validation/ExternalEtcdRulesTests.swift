import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@Suite struct ExternalEtcdRulesTests {
    private static func cluster(_ change: (inout HostedClusterSpec) -> Void = { _ in }) -> HostedCluster {
        var spec = HostedClusterSpec(version: KubernetesVersion(1, 34, 1))
        spec.etcd = EtcdSpec(external: ExternalEtcdSpec(endpoints: ["https://etcd-1.example.net:2379"], secretName: "shared"))
        change(&spec)
        return HostedCluster(metadata: ObjectMeta(name: "c", namespace: "default"), spec: spec)
    }

    private static func problems(_ change: (inout HostedClusterSpec) -> Void) -> [String] { cluster(change).validate().map(\.description) }

    @Test func itIsFit() {
        #expect(Self.problems { _ in } == [])
        #expect(Self.problems { $0.etcd?.external?.endpoints = ["https://10.0.0.1:2379", "https://etcd:12379"] } == [])
        #expect(Self.problems { $0.release = TemplateRevision.second.release } == [])
        let spec = Self.cluster().withDefaults().spec
        #expect(spec?.etcd?.storage == nil && spec?.etcd?.external?.secretName == "shared")
    }

    @Test(arguments: [
        "http://etcd:2379", "https://etcd", "https://etcd:0", "https://etcd:65536", "https://etcd:2379/", "https://etcd:+2379",
        "https://user:word@etcd:2379", "https://10.0.0.300:2379", "https://etcd:2379,https://evil:2379", "https://etcd:2379 --v=9",
        "etcd:2379", "",
    ])
    func anEndpointIsOne(_ endpoint: String) {
        #expect(
            Self.problems { $0.etcd?.external?.endpoints = [endpoint] } == [
                "spec.etcd.external.endpoints[0]: \"\(endpoint)\" is not an endpoint such as https://etcd-1.example.net:2379"
            ])
    }

    @Test func whatIsNeededAndWhatIsNot() {
        #expect(
            Self.problems { $0.etcd?.external = ExternalEtcdSpec() } == [
                "spec.etcd.external.endpoints: is needed, such as [https://etcd-1.example.net:2379]",
                "spec.etcd.external.secretName: is needed: a Secret with ca.crt, tls.crt and tls.key",
            ])
        #expect(Self.problems { $0.etcd?.external?.secretName = "A b" }.count == 1)
        #expect(
            Self.problems { $0.etcd?.external?.endpoints = ["https://a:1", "https://b:1", "https://a:1"] } == [
                "spec.etcd.external.endpoints[2]: \"https://a:1\" is there twice"
            ])
        let notHere = "is for an etcd that Nestbox runs, and this one is external: leave it out"
        #expect(
            Self.problems {
                $0.etcd?.image = "registry.example.net/etcd:3.5.0"
                $0.etcd?.storage = EtcdStorageSpec(size: "8Gi")
                $0.controlPlane = ControlPlaneSpec(
                    resources: ["etcd": ResourceRequirements(requests: ["cpu": "1"])],
                    extraArguments: ExtraArguments(etcd: ["snapshot-catchup-entries": "1"]))
            } == [
                "spec.etcd.image: \(notHere)", "spec.etcd.storage: \(notHere)", "spec.controlPlane.resources[etcd]: \(notHere)",
                "spec.controlPlane.extraArguments.etcd: \(notHere)",
            ])
        #expect(
            Self.problems { $0.release = TemplateRevision.first.release } == [
                "spec.etcd.external: release v0.1.0 knows none; it takes v0.2.0 or a newer one"
            ])
    }

    /// Nobody chooses where in it a cluster's keys lie: neither by a field nor by a flag.
    @Test func noTwoClustersCanShareAPrefix() {
        for flag in ["etcd-prefix", "etcd-servers", "etcd-servers-overrides", "etcd-cafile"] {
            let problems = Self.problems { $0.controlPlane = ControlPlaneSpec(extraArguments: ExtraArguments(apiServer: [flag: "x"])) }
            #expect(problems == ["spec.controlPlane.extraArguments.apiServer[\(flag)]: Nestbox sets this flag of kube-apiserver itself"])
        }
    }

    @Test func whatMayChange() {
        func update(from old: HostedCluster, to new: HostedCluster) -> [String] { new.validateUpdate(from: old).map(\.description) }
        let external = Self.cluster()
        let managed = Self.cluster { $0.etcd = nil }
        #expect(
            update(from: external, to: managed) == [
                "spec.etcd: cannot be changed from external to managed: the cluster's data would stay behind"
            ])
        #expect(
            update(from: managed, to: external) == [
                "spec.etcd: cannot be changed from managed to external: the cluster's data would stay behind"
            ])
        let moved = Self.cluster {
            $0.etcd?.external = ExternalEtcdSpec(endpoints: ["https://10.0.0.1:2379", "https://10.0.0.2:2379"], secretName: "newer")
            $0.controlPlane = ControlPlaneSpec(replicas: 3)
        }
        #expect(update(from: external, to: moved) == [])
    }
}
