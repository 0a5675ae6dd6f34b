import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import ControlPlane

@Suite struct GoldenTests {
    static let versions = [KubernetesVersion(1, 20, 2), KubernetesVersion(1, 28, 15), KubernetesVersion(1, 36, 2)]

    @Test(arguments: versions, TemplateRevision.allCases)
    func host(version: KubernetesVersion, revision: TemplateRevision) throws {
        let input = try Fixture.input(Fixture.cluster(version, revision: revision))
        for phase in try ControlPlane.desiredState(of: input) {
            try Golden.check(
                try Golden.text(phase.objects.map(withoutBytes)), "\(revision.release)/\(version.minorRelease)/host-\(phase.name).json")
        }
    }

    @Test(arguments: TemplateRevision.allCases)
    func threeReplicas(revision: TemplateRevision) throws {
        let cluster = Fixture.cluster(KubernetesVersion(1, 34, 1), revision: revision) { spec in
            spec.controlPlane = ControlPlaneSpec(
                replicas: 3, imageRegistry: "registry.example.net/k8s",
                resources: ["kube-apiserver": ResourceRequirements(requests: ["cpu": "1"], limits: ["memory": "4Gi"])],
                nodeSelector: ["role": "control-planes"], tolerations: [Toleration(key: "dedicated", operator: "Exists")],
                priorityClassName: "high",
                extraArguments: ExtraArguments(
                    apiServer: ["oidc-issuer-url": "https://login.example.net", "enable-admission-plugins": "AlwaysPullImages"],
                    scheduler: ["v": "2"]))
            spec.publish = PublishSpec(type: "LoadBalancer", subjectAlternativeNames: ["api.example.net"])
            spec.etcd = EtcdSpec(storage: EtcdStorageSpec(size: "20Gi", storageClassName: "fast"))
        }
        let input = try Fixture.input(cluster, host: KubernetesVersion(1, 30, 0))
        let objects = try ControlPlane.desiredState(of: input).flatMap(\.objects).map(withoutBytes)
        try Golden.check(try Golden.text(objects), "\(revision.release)/three-replicas/host.json")
    }

    @Test(arguments: versions, TemplateRevision.allCases)
    func tenant(version: KubernetesVersion, revision: TemplateRevision) throws {
        let input = try Fixture.input(Fixture.cluster(version, revision: revision), coreDNSImage: "registry.k8s.io/\(version.coreDNSImage)")
        try Golden.check(
            try Golden.text(TenantObjects.access(input.settings)), "\(revision.release)/\(version.minorRelease)/tenant-access.json")
        try Golden.check(
            try Golden.text(TenantObjects.configuration(input)), "\(revision.release)/\(version.minorRelease)/tenant-configuration.json")
        try Golden.check(try Golden.text(TenantObjects.addons(input)), "\(revision.release)/\(version.minorRelease)/tenant-addons.json")
    }

    @Test(arguments: TemplateRevision.allCases)
    func kubeadmJoin(revision: TemplateRevision) throws {
        let settings = try ClusterSettings(
            Fixture.cluster(KubernetesVersion(1, 20, 2), revision: revision) { $0.join = JoinSpec(kubeadm: true) })
        try Golden.check(try Golden.text(KubeadmObjects.access(settings)), "\(revision.release)/kubeadm-join/tenant-access.json")
        try Golden.check(try Golden.text(NodeAgentObjects.render(settings)), "\(revision.release)/kubeadm-join/tenant-addons.json")
    }

    @Test(arguments: versions, TemplateRevision.allCases)
    func node(version: KubernetesVersion, revision: TemplateRevision) throws {
        let settings = try ClusterSettings(Fixture.cluster(version, revision: revision))
        let environment = NodeEnvironment(cgroupDriver: .cgroupfs, cgroupVersion: 1, resolverConfiguration: "/run/resolv.conf")
        let taints = [Taint(key: "gpu", value: "yes", effect: "NoSchedule")]
        let text =
            KubeletConfiguration.render(for: settings, version: version, environment: environment, taints: taints)
            + KubeletConfiguration.flags(version: version, labels: ["pool": "a", "disk": "ssd"], taints: taints).joined(separator: "\n")
            + "\n"
            + Kubeconfig.bootstrap(settings, certificateAuthority: "CA\n", token: BootstrapToken(id: "abcdef", secret: "0123456789abcdef"))
        try Golden.check(text, "\(revision.release)/\(version.minorRelease)/node.txt")
    }

    /// Files of a Secret, readable.
    private func withoutBytes(_ object: any KubernetesObject) -> any KubernetesObject {
        guard var secret = object as? Secret else { return object }
        secret.stringData = secret.data?.mapValues { $0.text ?? "" }
        secret.data = nil
        return secret
    }
}
