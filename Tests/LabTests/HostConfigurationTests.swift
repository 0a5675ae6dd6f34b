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
        let certificates = HostCertificates(folder: folder.path, addresses: plan, node: "nestbox-demo")
        let first = try certificates.ensure()
        let again = try certificates.ensure()
        #expect(first.authority == again.authority)
        #expect(first.issued[.admin]?.certificatePEM == again.issued[.admin]?.certificatePEM)
        let moved = HostCertificates(folder: folder.path, addresses: try #require(AddressPlan(slot: 1)), node: "nestbox-demo")
        let third = try moved.ensure()
        #expect(third.issued[.apiServer]?.certificatePEM != first.issued[.apiServer]?.certificatePEM)
        #expect(third.issued[.admin]?.certificatePEM == first.issued[.admin]?.certificatePEM)
    }
}
