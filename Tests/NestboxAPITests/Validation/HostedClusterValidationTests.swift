import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@Suite struct HostedClusterValidationTests {
    /// One thing that is wrong, and the one line that says so.
    struct Wrong: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var change: @Sendable (inout HostedCluster) -> Void

        init(_ line: String, _ change: @escaping @Sendable (inout HostedCluster) -> Void) {
            testDescription = line
            self.change = change
        }

        init(_ line: String, spec change: @escaping @Sendable (inout HostedClusterSpec) -> Void) {
            self.init(line) { cluster in
                var spec = cluster.spec ?? HostedClusterSpec()
                change(&spec)
                cluster.spec = spec
            }
        }
    }

    static let valid = HostedCluster(
        metadata: ObjectMeta(name: "demo", namespace: "tenants"), spec: HostedClusterSpec(version: KubernetesVersion(1, 20, 2)))

    @Test func theLeastIsValid() {
        #expect(Self.valid.validate() == [])
        #expect(Self.valid.withDefaults().validate() == [])
    }

    static let label = "is not a DNS label: 1 to 63 lower-case letters, digits and dashes, a letter or digit at both ends"
    static let long = String(repeating: "a", count: 64)

    static let metadata = [
        Wrong("metadata.name: \"\" \(label)") { $0.metadata.name = nil },
        Wrong("metadata.name: \"\(long)\" \(label)") { $0.metadata.name = long },
        Wrong("metadata.name: \"Demo\" \(label)") { $0.metadata.name = "Demo" },
        Wrong("metadata.name: \"a.b\" \(label)") { $0.metadata.name = "a.b" },
        Wrong("metadata.name: \"-a\" \(label)") { $0.metadata.name = "-a" },
        Wrong("metadata.name: \"a-\" \(label)") { $0.metadata.name = "a-" },
        Wrong("metadata.name: \"é\" \(label)") { $0.metadata.name = "é" },
        Wrong("metadata.namespace: \"a_b\" \(label)") { $0.metadata.namespace = "a_b" },
    ]

    static let versions = [
        Wrong("spec.version: is needed, such as v1.36.0", spec: { $0.version = nil }),
        Wrong(
            "spec.version: v1.19.16 is not a version that this Nestbox knows: it runs 1.20 to 1.36",
            spec: { $0.version = KubernetesVersion(1, 19, 16) }),
        Wrong(
            "spec.version: v1.37.0 is not a version that this Nestbox knows: it runs 1.20 to 1.36",
            spec: { $0.version = KubernetesVersion(1, 37, 0) }),
        Wrong(
            "spec.version: v2.20.0 is not a version that this Nestbox knows: it runs 1.20 to 1.36",
            spec: { $0.version = KubernetesVersion(2, 20, 0) }),
        Wrong(
            "spec.release: \"v0.3.0\" is not a release that this Nestbox knows: it renders v0.1.0 and v0.2.0",
            spec: { $0.release = "v0.3.0" }),
        Wrong("spec.pausedUntil: \"tomorrow\" is not a time such as 2026-08-01T12:00:00Z", spec: { $0.pausedUntil = "tomorrow" }),
    ]

    static let networks = [
        network("spec.network.pods: \"\" is not an IPv4 CIDR, such as 10.244.0.0/16") { $0.pods = "" },
        network("spec.network.pods: \"10.244.0.0\" is not an IPv4 CIDR, such as 10.244.0.0/16") { $0.pods = "10.244.0.0" },
        network("spec.network.pods: \"10.244.0.0/33\" is not an IPv4 CIDR, such as 10.244.0.0/16") { $0.pods = "10.244.0.0/33" },
        network("spec.network.pods: \"10.244.300.0/16\" is not an IPv4 CIDR, such as 10.244.0.0/16") { $0.pods = "10.244.300.0/16" },
        network("spec.network.pods: \"fd00::/64\" is not an IPv4 CIDR, such as 10.244.0.0/16") { $0.pods = "fd00::/64" },
        network("spec.network.pods: \"10.244.1.7/16\" is not an IPv4 CIDR; did you mean 10.244.0.0/16?") { $0.pods = "10.244.1.7/16" },
        network("spec.network.pods: 10.244.0.0/25 is not between /8 and /24: each node takes a part of it") { $0.pods = "10.244.0.0/25" },
        network("spec.network.pods: 224.0.0.0/16 overlaps 224.0.0.0/4, which is multicast") { $0.pods = "224.0.0.0/16" },
        network("spec.network.services: 10.0.0.0/11 is not between /12 and /28: kube-apiserver takes no more than 20 bits, and needs 4") {
            $0.services = "10.0.0.0/11"
        },
        network("spec.network.services: 10.96.0.0/29 is not between /12 and /28: kube-apiserver takes no more than 20 bits, and needs 4") {
            $0.services = "10.96.0.0/29"
        },
        network("spec.network.services: 127.0.0.0/16 overlaps 127.0.0.0/8, which is loopback") { $0.services = "127.0.0.0/16" },
        // With each other, whichever is the larger, and with a default that nobody wrote.
        network("spec.network.services: 10.244.128.0/20 overlaps spec.network.pods, 10.244.0.0/16") { $0.services = "10.244.128.0/20" },
        network("spec.network.services: 10.96.0.0/16 overlaps spec.network.pods, 10.0.0.0/8") { $0.pods = "10.0.0.0/8" },
        network("spec.network.nodeLocalAPIAddress: \"172.20.0\" is not an IPv4 address") { $0.nodeLocalAPIAddress = "172.20.0" },
        network("spec.network.nodeLocalAPIAddress: \"172.20.0.01\" is not an IPv4 address") { $0.nodeLocalAPIAddress = "172.20.0.01" },
        network("spec.network.nodeLocalAPIAddress: 10.244.3.1 is inside spec.network.pods, 10.244.0.0/16") {
            $0.nodeLocalAPIAddress = "10.244.3.1"
        },
        network("spec.network.nodeLocalAPIAddress: 10.96.0.1 is inside spec.network.services, 10.96.0.0/16") {
            $0.nodeLocalAPIAddress = "10.96.0.1"
        },
        network("spec.network.nodeLocalAPIAddress: 127.0.0.1 is of 127.0.0.0/8, which is loopback") {
            $0.nodeLocalAPIAddress = "127.0.0.1"
        },
        network("spec.network.nodeLocalAPIAddress: 169.254.20.10 is of 169.254.0.0/16, which is link-local") {
            $0.nodeLocalAPIAddress = "169.254.20.10"
        },
        network("spec.network.nodeLocalAPIAddress: 0.0.0.0 is of 0.0.0.0/8, which means this host") { $0.nodeLocalAPIAddress = "0.0.0.0" },
        network("spec.network.cni: \"calico\" is not one of bridge, none") { $0.cni = "calico" },
        network(
            "spec.network.dnsDomain: \"Cluster.local\" is not a DNS name: labels of lower-case letters, digits and dashes, "
                + "with dots between them, 253 characters at most"
        ) { $0.dnsDomain = "Cluster.local" },
    ]

    static let publishing = [
        publish("spec.publish.type: \"ClusterIP\" is not one of NodePort, LoadBalancer") { $0.type = "ClusterIP" },
        publish("spec.publish.externalTrafficPolicy: \"local\" is not one of Local, Cluster") { $0.externalTrafficPolicy = "local" },
        publish("spec.publish.addresses: is empty; leave it out to publish the host nodes' own") { $0.addresses = [] },
        publish("spec.publish.addresses[1]: \"10.0.0.300\" is not an IPv4 address or a DNS name") {
            $0.addresses = ["h.example", "10.0.0.300"]
        },
        publish("spec.publish.addresses[0]: \"h:6443\" is not an IPv4 address or a DNS name") { $0.addresses = ["h:6443"] },
        publish("spec.publish.addresses[0]: 10.96.0.9 is inside spec.network.services, 10.96.0.0/16: nodes would not reach it") {
            $0.addresses = ["10.96.0.9"]
        },
        publish("spec.publish.addresses[0]: 172.20.0.1 is spec.network.nodeLocalAPIAddress: nodes would not reach it") {
            $0.addresses = ["172.20.0.1"]
        },
        publish("spec.publish.addresses: a LoadBalancer brings its own; leave them out") {
            $0.type = "LoadBalancer"
            $0.addresses = ["192.0.2.1"]
        },
        publish("spec.publish.subjectAlternativeNames[0]: \"*\" is not an IP address or a DNS name, whose first label may be *") {
            $0.subjectAlternativeNames = ["*"]
        },
        publish("spec.publish.subjectAlternativeNames[0]: \"a b\" is not an IP address or a DNS name, whose first label may be *") {
            $0.subjectAlternativeNames = ["a b"]
        },
        publish("spec.publish.subjectAlternativeNames[0]: \"fd00:::1\" is not an IP address or a DNS name, whose first label may be *") {
            $0.subjectAlternativeNames = ["fd00:::1"]
        },
    ]

    static let lifetimes = [
        certificates("spec.certificates.leafLifetime: \"1 year\" is not a duration such as 168h or 1h30m") { $0.leafLifetime = "1 year" },
        certificates("spec.certificates.leafLifetime: \"365d\" is not a duration such as 168h or 1h30m") { $0.leafLifetime = "365d" },
        certificates("spec.certificates.leafLifetime: 5m0s is less than 10m0s: no certificate could be renewed in time") {
            $0.leafLifetime = "5m"
        },
        certificates("spec.certificates.kubeconfigLifetime: 0s is less than 10m0s: no certificate could be renewed in time") {
            $0.kubeconfigLifetime = "0s"
        },
        certificates("spec.certificates.leafLifetime: 8760h0m0s is more than the 1000h0m0s of the CA that signs it") {
            $0.caLifetime = "1000h"
        },
        certificates(
            "spec.certificates.nodeLifetime: 169h0m0s is more than 168h0m0s: a removed node's certificate must be worth nothing soon"
        ) { $0.nodeLifetime = "169h" },
    ]

    static let controlPlanes = [
        controlPlane("spec.controlPlane.replicas: 2 is not 1 or 3: etcd's members are as many, and vote") { $0.replicas = 2 },
        controlPlane("spec.controlPlane.replicas: 0 is not 1 or 3: etcd's members are as many, and vote") { $0.replicas = 0 },
        controlPlane(
            "spec.controlPlane.imageRegistry: \"https://registry.k8s.io\" is not an image registry such as registry.k8s.io or 10.0.0.5:5000/mirror"
        ) { $0.imageRegistry = "https://registry.k8s.io" },
        controlPlane(
            "spec.controlPlane.imageRegistry: \"registry.k8s.io/\" is not an image registry such as registry.k8s.io or 10.0.0.5:5000/mirror"
        ) { $0.imageRegistry = "registry.k8s.io/" },
        controlPlane(
            "spec.controlPlane.priorityClassName: \"High\" is not a DNS name: labels of lower-case letters, digits and dashes, "
                + "with dots between them, 253 characters at most"
        ) { $0.priorityClassName = "High" },
        controlPlane(
            "spec.controlPlane.resources[apiserver]: \"apiserver\" is not one of etcd, kube-apiserver, kube-controller-manager, "
                + "kube-scheduler, tunnel"
        ) { $0.resources = ["apiserver": ResourceRequirements()] },
        controlPlane("spec.controlPlane.resources[etcd].requests[memory]: \"1GB\" is not a quantity above zero such as 8Gi or 250m") {
            $0.resources = ["etcd": ResourceRequirements(requests: ["memory": "1GB"])]
        },
        controlPlane("spec.controlPlane.resources[etcd].limits[cpu]: \"0\" is not a quantity above zero such as 8Gi or 250m") {
            $0.resources = ["etcd": ResourceRequirements(limits: ["cpu": "0"])]
        },
        controlPlane("spec.controlPlane.resources[etcd].requests[memory]: 2Gi is more than the limit of 1Gi") {
            $0.resources = ["etcd": ResourceRequirements(requests: ["memory": "2Gi"], limits: ["memory": "1Gi"])]
        },
        controlPlane("spec.controlPlane.tolerations[0].operator: \"In\" is not one of Equal, Exists") {
            $0.tolerations = [Toleration(key: "a", operator: "In")]
        },
        controlPlane("spec.controlPlane.tolerations[0].key: is needed, except with operator Exists") {
            $0.tolerations = [Toleration(value: "x")]
        },
        controlPlane("spec.controlPlane.tolerations[0].value: Exists takes no value") {
            $0.tolerations = [Toleration(key: "a", operator: "Exists", value: "x")]
        },
        controlPlane("spec.controlPlane.tolerations[0].tolerationSeconds: only NoExecute takes it") {
            $0.tolerations = [Toleration(key: "a", operator: "Exists", tolerationSeconds: 5)]
        },
        controlPlane(
            "spec.controlPlane.nodeSelector[pool]: \"a b\" is not a label value: empty, or 63 letters, digits, dashes, underscores and "
                + "dots at most, a letter or digit at both ends"
        ) { $0.nodeSelector = ["pool": "a b"] },
        controlPlane("spec.controlPlane.extraArguments.apiServer[etcd-servers]: Nestbox sets this flag of kube-apiserver itself") {
            $0.extraArguments = ExtraArguments(apiServer: ["etcd-servers": "http://x"])
        },
        controlPlane("spec.controlPlane.extraArguments.apiServer[anonymous-auth]: Nestbox sets this flag of kube-apiserver itself") {
            $0.extraArguments = ExtraArguments(apiServer: ["anonymous-auth": "true"])
        },
        controlPlane(
            "spec.controlPlane.extraArguments.controllerManager[controllers]: Nestbox sets this flag of kube-controller-manager itself"
        ) {
            $0.extraArguments = ExtraArguments(controllerManager: ["controllers": "*"])
        },
        controlPlane("spec.controlPlane.extraArguments.scheduler[kubeconfig]: Nestbox sets this flag of kube-scheduler itself") {
            $0.extraArguments = ExtraArguments(scheduler: ["kubeconfig": "/x"])
        },
        controlPlane(
            "spec.controlPlane.extraArguments.scheduler[--v]: \"--v\" is not a flag's name without dashes before it, such as v or feature-gates"
        ) { $0.extraArguments = ExtraArguments(scheduler: ["--v": "2"]) },
        controlPlane(
            "spec.controlPlane.extraArguments.apiServer[disable-admission-plugins]: NodeRestriction is what keeps one node from changing "
                + "another, and stays on"
        ) { $0.extraArguments = ExtraArguments(apiServer: ["disable-admission-plugins": "LimitRanger,NodeRestriction"]) },
    ]

    static let storage = [
        Wrong(
            "spec.etcd.storage.size: \"big\" is not a quantity above zero such as 8Gi or 250m",
            spec: { $0.etcd = EtcdSpec(storage: EtcdStorageSpec(size: "big")) }),
        Wrong(
            "spec.etcd.storage.size: \"-1Gi\" is not a quantity above zero such as 8Gi or 250m",
            spec: { $0.etcd = EtcdSpec(storage: EtcdStorageSpec(size: "-1Gi")) }),
        Wrong(
            "spec.etcd.image: \"etcd:\" is not an image such as registry.k8s.io/etcd:3.5.24-0", spec: { $0.etcd = EtcdSpec(image: "etcd:") }
        ),
        Wrong(
            "spec.addons.coreDNS.image: \"Core DNS\" is not an image such as registry.k8s.io/etcd:3.5.24-0",
            spec: { $0.addons = AddonsSpec(coreDNS: CoreDNSSpec(image: "Core DNS")) }),
    ]

    static let dns = [
        upstream("dns.example.com", "\"dns.example.com\" is not a DNS server's IPv4 address such as 10.0.0.53 or 10.0.0.53:5353"),
        upstream("10.0.0.53:", "\"10.0.0.53:\" is not a DNS server's IPv4 address such as 10.0.0.53 or 10.0.0.53:5353"),
        upstream("127.0.0.53", "127.0.0.53 is cluster DNS itself: it would ask itself without end"),
        upstream("10.96.0.10:53", "10.96.0.10 is cluster DNS itself: it would ask itself without end"),
        Wrong(
            "spec.addons.coreDNS.upstreams: has 16 entries: CoreDNS takes no more than 15",
            spec: { $0.addons = AddonsSpec(coreDNS: CoreDNSSpec(upstreams: Array(repeating: "10.0.0.53", count: 16))) }),
    ]

    private static func upstream(_ upstream: String, _ message: String) -> Wrong {
        Wrong(
            "spec.addons.coreDNS.upstreams[1]: \(message)",
            spec: { $0.addons = AddonsSpec(coreDNS: CoreDNSSpec(upstreams: ["169.254.169.253", upstream])) })
    }

    @Test(arguments: [metadata, versions, networks, publishing, lifetimes, controlPlanes, storage, dns].flatMap { $0 })
    func saysWhatIsWrong(wrong: Wrong) {
        var cluster = Self.valid
        wrong.change(&cluster)
        #expect(cluster.validate().map(\.description) == [wrong.testDescription])
    }

    /// Odd, and allowed.
    @Test(arguments: [
        Wrong("longest names") { cluster in
            cluster.metadata.name = String(repeating: "a", count: 63)
            cluster.metadata.namespace = String(repeating: "b", count: 63)
        },
        Wrong("digits first") { $0.metadata.name = "1" },
        Wrong("networks side by side") { $0.spec?.network = NetworkSpec(pods: "10.0.0.0/9", services: "10.128.0.0/12") },
        Wrong("the smallest networks") { $0.spec?.network = NetworkSpec(pods: "10.0.0.0/24", services: "10.0.1.0/28") },
        Wrong("a registry with a port and a path") { $0.spec?.controlPlane = ControlPlaneSpec(imageRegistry: "10.0.0.5:5000/mirror/k8s") },
        Wrong("an image by digest") {
            $0.spec?.etcd = EtcdSpec(image: "localhost:5000/etcd:3.5@sha256:" + String(repeating: "0a", count: 32))
        },
        Wrong("names of every kind") {
            $0.spec?.publish = PublishSpec(subjectAlternativeNames: [
                "*.example.com", "fd00::1", "::", "1:2:3:4:5:6:7:8", "192.0.2.1", "host",
            ])
        },
        Wrong("a toleration of everything") { $0.spec?.controlPlane = ControlPlaneSpec(tolerations: [Toleration(operator: "Exists")]) },
        Wrong("a flag of one's own") {
            $0.spec?.controlPlane = ControlPlaneSpec(
                extraArguments: ExtraArguments(
                    apiServer: ["enable-admission-plugins": "PodNodeSelector", "audit-log-path": "-", "oidc-issuer-url": "https://i"],
                    scheduler: ["v": "2"]))
        },
        Wrong("paused") { $0.spec?.pausedUntil = "2030-01-01T00:00:00Z" },
        Wrong("lifetimes as short as can be") {
            $0.spec?.certificates = CertificatesSpec(
                caLifetime: "10m", leafLifetime: "10m", kubeconfigLifetime: "10m", nodeLifetime: "600s")
        },
    ])
    func takesWhatIsOddAndRight(right: Wrong) {
        var cluster = Self.valid
        right.change(&cluster)
        #expect(cluster.validate() == [])
    }

    @Test func saysAllThatIsWrongAtOnce() {
        let cluster = HostedCluster(
            metadata: ObjectMeta(name: "No"),
            spec: HostedClusterSpec(
                controlPlane: ControlPlaneSpec(replicas: 5), network: NetworkSpec(pods: "x", cni: "y"), publish: PublishSpec(type: "z")))
        #expect(
            cluster.validate().map(\.path) == [
                "metadata.name", "spec.version", "spec.controlPlane.replicas", "spec.network.pods", "spec.network.cni", "spec.publish.type",
            ])
    }

    private static func network(_ line: String, _ change: @escaping @Sendable (inout NetworkSpec) -> Void) -> Wrong {
        Wrong(line, spec: { $0.network = changed(NetworkSpec(), change) })
    }

    private static func publish(_ line: String, _ change: @escaping @Sendable (inout PublishSpec) -> Void) -> Wrong {
        Wrong(line, spec: { $0.publish = changed(PublishSpec(), change) })
    }

    private static func certificates(_ line: String, _ change: @escaping @Sendable (inout CertificatesSpec) -> Void) -> Wrong {
        Wrong(line, spec: { $0.certificates = changed(CertificatesSpec(), change) })
    }

    private static func controlPlane(_ line: String, _ change: @escaping @Sendable (inout ControlPlaneSpec) -> Void) -> Wrong {
        Wrong(line, spec: { $0.controlPlane = changed(ControlPlaneSpec(), change) })
    }

    private static func changed<Value>(_ value: Value, _ change: (inout Value) -> Void) -> Value {
        var value = value
        change(&value)
        return value
    }
}
