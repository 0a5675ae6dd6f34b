import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import NodeJoin

extension MachineOwner {
    static let example = MachineOwner(uid: "5e9cbbf6-3a3c-4f7e-8f7c-1d8b7f6a0001", epoch: 3, holder: "acme/workers")
}

extension JoinParameters {
    static func example(
        version: KubernetesVersion = KubernetesVersion(1, 20, 2), bridge: Bool = true, facts: MachineFacts = MachineFacts(),
        storedContainerd: ProgramVersion? = ProgramVersion(1, 6, 20)
    ) -> JoinParameters {
        func file(_ name: String, _ digit: Character) -> LocalFile {
            LocalFile(path: "/store/\(name)", sha256: String(repeating: digit, count: 64))
        }
        return JoinParameters(
            owner: .example, nodeName: "rack12-7", nodeAddress: "192.0.2.17", version: version,
            network: JoinNetwork(
                podCIDR: "10.244.7.0/24", clusterPodCIDR: "10.244.0.0/16", serviceCIDR: "10.96.0.0/12", bridge: bridge),
            endpoints: JoinEndpoints(api: ["203.0.113.1:30443", "203.0.113.2:30443"], tunnel: ["203.0.113.1:30132"]),
            certificateAuthority: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            bootstrapKubeconfig: "{\"kind\": \"Config\"}", kubeletConfiguration: "{\n  \"kind\": \"KubeletConfiguration\"\n}\n",
            nodeLabels: ["disk": "it's fast", "pool": "workers"], taints: [Taint(key: "gpu", value: "yes", effect: "NoSchedule")],
            artifacts: JoinArtifacts(
                nodeTools: file("node-tools.tar", "a"), kubelet: file("kubelet", "b"), nestboxNode: file("nestbox-node", "c"),
                pauseImage: JoinImage(archive: file("pause.tar", "d"), reference: "registry.k8s.io/pause:3.9"),
                images: [JoinImage(archive: file("kube-proxy.tar", "e"), reference: "registry.k8s.io/kube-proxy:v1.20.2")]),
            tools: ToolChoice(facts: facts, storedContainerd: storedContainerd, version: version))
    }
}

extension CleanParameters {
    static let example = CleanParameters(owner: .example, clusterPodCIDR: "10.244.0.0/16")
}

extension RepairParameters {
    static let example = RepairParameters(owner: .example, bootstrapKubeconfig: "{\"kind\": \"Config\"}")
}
