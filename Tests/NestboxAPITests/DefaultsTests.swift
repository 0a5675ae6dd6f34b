import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@Suite struct DefaultsTests {
    @Test func whatWasWrittenStays() {
        let spec = HostedClusterSpec(
            version: KubernetesVersion(1, 20, 2), release: "v0.0.9", etcd: EtcdSpec(storage: EtcdStorageSpec(storageClassName: "fast")),
            network: NetworkSpec(pods: "10.0.0.0/16"), publish: PublishSpec(addresses: ["192.0.2.1"]),
            addons: AddonsSpec(coreDNS: CoreDNSSpec(enabled: false)))
        let cluster = HostedCluster(metadata: ObjectMeta(name: "c"), spec: spec).withDefaults()
        #expect(cluster.spec?.release == "v0.0.9")
        #expect(cluster.spec?.etcd?.storage == EtcdStorageSpec(size: "8Gi", storageClassName: "fast"))
        #expect(cluster.spec?.network?.pods == "10.0.0.0/16" && cluster.spec?.network?.services == Defaults.serviceNetwork)
        #expect(cluster.spec?.publish == PublishSpec(type: "NodePort", addresses: ["192.0.2.1"]))
        #expect(cluster.spec?.addons?.coreDNS?.enabled == false && cluster.spec?.addons?.kubeProxy?.enabled == true)
        #expect(cluster.withDefaults() == cluster)
    }

    @Test func nothingIsMadeUpForAVersionOrARelease() {
        #expect(HostedCluster(metadata: ObjectMeta(name: "c")).withDefaults().spec?.release == nil)
        #expect(HostedCluster(metadata: ObjectMeta(name: "c")).withDefaults().spec?.version == nil)
        #expect(NodePool(metadata: ObjectMeta(name: "p")).withDefaults().spec?.version == nil)
    }

    @Test func poolsAndMachines() {
        let pool = NodePool(metadata: ObjectMeta(name: "p"), spec: NodePoolSpec(upgrade: UpgradeSpec(maxSurge: 2))).withDefaults()
        #expect(
            pool.spec?.upgrade == UpgradeSpec(type: "Replace", maxSurge: 2, maxUnavailable: 1, paused: false, readyTimeout: "10m"))
        #expect(pool.spec?.replicas == 0 && pool.spec?.drainTimeout == "10m")
        let machine = Machine(metadata: ObjectMeta(name: "m"), spec: MachineSpec(port: 2222)).withDefaults()
        #expect(machine.spec?.port == 2222 && machine.spec?.user == "root" && machine.spec?.reuse == .sameTenant)
    }
}
