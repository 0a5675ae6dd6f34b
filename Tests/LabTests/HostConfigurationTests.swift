import ControlPlane
import KubernetesVersions
import Testing

@testable import Lab

@Suite("The host's configuration")
struct HostConfigurationTests {
    @Test func containerd() throws {
        #expect(
            try HostConfiguration.fixture().containerd == """
                version = 2
                root = "/var/lib/containerd"
                state = "/run/containerd"

                [grpc]
                  address = "/run/containerd/containerd.sock"

                [plugins."io.containerd.internal.v1.opt"]
                  path = "/var/lib/containerd/opt"

                [plugins."io.containerd.grpc.v1.cri"]
                  sandbox_image = "registry.k8s.io/pause:3.9"
                  restrict_oom_score_adj = true
                  disable_apparmor = true

                  [plugins."io.containerd.grpc.v1.cri".cni]
                    bin_dir = "/tools/cni"
                    conf_dir = "/cache/lab/demo/conf/cni"

                """)
    }

    @Test func kubeletOfTheOldestAndTheNewest() throws {
        let old = try HostConfiguration.fixture().kubelet
        #expect(old.contains("clientCAFile: /cache/lab/demo/pki/ca.crt\n"))
        #expect(!old.contains("failCgroupV1") && !old.contains("containerRuntimeEndpoint"))
        let new = try HostConfiguration.fixture(KubernetesVersion(1, 36, 2)).kubelet
        #expect(new.contains("\nfailCgroupV1: false\n"))
        #expect(new.contains("\ncontainerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n"))
    }

    @Test func podsAndProxyUseThePlansNetworks() throws {
        let configuration = try HostConfiguration.fixture()
        #expect(configuration.network.contains(#""ranges": [[{"subnet": "10.213.2.0/24"}]]"#))
        #expect(configuration.proxy.contains("clusterCIDR: 10.213.2.0/24\n"))
    }

    @Test func everyNodeHasFilesOfItsOwn() throws {
        let second = try HostConfiguration.fixture(node: 2, of: 3)
        #expect(second.kubeletFile == "/cache/lab/demo/conf/host-2/kubelet.yaml")
        #expect(second.network.contains(#""ranges": [[{"subnet": "10.213.2.128/26"}]]"#))
        #expect(second.proxy.contains("clusterCIDR: 10.213.2.0/24\nhostnameOverride: host-2\n"))
        #expect(second.kubelet.contains("tlsCertFile: /cache/lab/demo/pki/kubelet-host-2.crt\n"))
        #expect(second.kubelet.contains("\nmaxPods: 55\n"))
        #expect(second.certificates.request(.kubelet).ipAddresses == ["10.213.0.66"])
        #expect(second.certificates.certificate(.proxy) == "/cache/lab/demo/pki/proxy.crt")
        let first = try HostConfiguration.fixture(node: 1, of: 3)
        #expect(first.kubeletFile == "/cache/lab/demo/conf/kubelet.yaml")
        #expect(first.network.contains(#""subnet": "10.213.2.0/25""#))
    }

    @Test func systemdRunsWhatEveryNodeRuns() throws {
        let components = HostComponents(
            configuration: try .fixture(node: 3, of: 3), etcd: "/etcd", containerd: "/tools/bin/containerd", kubernetes: { "/bin/\($0)" })
        let units = HostNodeUnits.files(components.ofEveryNode, environment: ["PATH": "/tools/bin:/bin"])
        #expect(units.keys.sorted() == ["host-containerd.service", "host-kube-proxy.service", "host-kubelet.service"])
        let kubelet = try #require(units["host-kubelet.service"])
        #expect(kubelet.contains("\nEnvironment=PATH=/tools/bin:/bin\n"))
        #expect(kubelet.contains("\nExecStart=/bin/kubelet --config=/cache/lab/demo/conf/host-3/kubelet.yaml "))
        #expect(kubelet.contains(" --node-ip=10.213.0.67 --node-labels=topology.kubernetes.io/zone=zone-3 "))
        #expect(units["host-containerd.service"]?.contains("\nType=notify\n") == true)
    }

    @Test func flagsThatCameAndWent() throws {
        func arguments(_ name: String, _ version: KubernetesVersion) throws -> [String] {
            try #require(try HostComponents.fixture(version).all.first { $0.name == name }).arguments
        }
        let (old, new) = (KubernetesVersion(1, 20, 2), KubernetesVersion(1, 36, 2))
        #expect(try arguments("kubelet", old).contains("--container-runtime=remote"))
        #expect(try !arguments("kubelet", new).contains { $0.hasPrefix("--container-runtime") })
        #expect(try arguments("kube-scheduler", old).contains("--port=0"))
        #expect(try !arguments("kube-scheduler", new).contains("--port=0"))
    }

    @Test func etcdStopsLast() throws {
        let stages = Dictionary(uniqueKeysWithValues: try HostComponents.fixture().all.map { ($0.name, $0.stage) })
        #expect(stages["etcd"] == 0)
        #expect(try #require(stages["kube-apiserver"]) < (try #require(stages["kubelet"])))
        #expect(stages.count == 7)
    }

    @Test func certificatesSayWhoTheirHoldersAre() throws {
        let certificates = try HostConfiguration.fixture().certificates
        #expect(certificates.request(.apiServer).ipAddresses == ["127.0.0.1", "10.213.0.2", "10.213.3.1"])
        #expect(certificates.request(.kubelet).commonName == "system:node:nestbox-demo")
        #expect(certificates.request(.scheduler).commonName == "system:kube-scheduler")
    }

    @Test func keysAreKeptWhileTheyServe() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let plan = try #require(AddressPlan(slot: 0))
        let certificates = HostCertificates(folder: folder.path, addresses: plan, node: .embedded(name: "nestbox-demo", in: plan))
        let first = try certificates.ensure()
        let again = try certificates.ensure()
        #expect(first.authority == again.authority)
        #expect(first.issued[.admin]?.certificatePEM == again.issued[.admin]?.certificatePEM)
        let elsewhere = try #require(AddressPlan(slot: 1))
        let moved = HostCertificates(folder: folder.path, addresses: elsewhere, node: .embedded(name: "nestbox-demo", in: elsewhere))
        let third = try moved.ensure()
        #expect(third.issued[.apiServer]?.certificatePEM != first.issued[.apiServer]?.certificatePEM)
        #expect(third.issued[.admin]?.certificatePEM == first.issued[.admin]?.certificatePEM)
    }
}
