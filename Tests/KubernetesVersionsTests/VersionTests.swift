import KubernetesVersions
import Testing

@Suite struct VersionTests {
    @Test(arguments: [("v1.36.2", 1, 36, 2), ("1.20.2", 1, 20, 2), ("v1.32.4-gke.1", 1, 32, 4), ("v1.36.0+k3s1", 1, 36, 0)])
    func reads(text: String, major: Int, minor: Int, patch: Int) {
        #expect(KubernetesVersion(text) == KubernetesVersion(major, minor, patch))
    }

    @Test(arguments: ["", "v", "1.20", "1.20.2.3", "v1.x.2", "latest", "1..2", "v1.20.-2", "99999.1.1"])
    func refuses(text: String) {
        #expect(KubernetesVersion(text) == nil)
    }

    @Test(arguments: [(19, false), (20, true), (36, true), (37, false)])
    func knowsItsBounds(minor: Int, supported: Bool) {
        #expect(KubernetesVersion(1, minor, 0).isSupported == supported)
        #expect(!KubernetesVersion(2, minor, 0).isSupported)
    }

    @Test(arguments: [
        ("v1.28.0", "v1.25.9", true), ("v1.28.0", "v1.24.0", false), ("v1.27.0", "v1.25.0", true), ("v1.27.0", "v1.24.0", false),
        ("v1.28.0", "v1.28.5", true), ("v1.28.0", "v1.29.0", false), ("v1.28.0", "v2.28.0", false),
    ])
    func kubeletSkew(server: String, kubelet: String, allowed: Bool) throws {
        let refusal = try #require(KubernetesVersion(server)).refusal(ofKubelet: try #require(KubernetesVersion(kubelet)))
        #expect((refusal == nil) == allowed)
    }

    @Test(arguments: [
        ("v1.20.2", "v1.20.3", true), ("v1.20.2", "v1.21.0", true), ("v1.20.2", "v1.22.0", false), ("v1.20.2", "v1.20.1", false),
        ("v1.20.2", "v1.20.2", true), ("v1.20.2", "v2.20.2", false),
    ])
    func upgradesOneMinorAtATime(from: String, target: String, allowed: Bool) throws {
        let refusal = try #require(KubernetesVersion(from)).refusal(ofUpgradeTo: try #require(KubernetesVersion(target)))
        #expect((refusal == nil) == allowed)
    }

    @Test func tableAtItsTurns() {
        func at(_ minor: Int) -> KubernetesVersion { KubernetesVersion(1, minor, 0) }
        #expect(at(22).hasInsecurePortFlag && !at(23).hasInsecurePortFlag)
        #expect(at(23).needsContainerRuntimeFlag && !at(24).needsContainerRuntimeFlag)
        #expect(!at(26).hasContainerRuntimeEndpointInConfiguration && at(27).hasContainerRuntimeEndpointInConfiguration)
        #expect(!at(34).kubeletRefusesCgroupV1 && at(35).kubeletRefusesCgroupV1)
        #expect(at(31).authenticationConfigurationAPIVersion == nil)
        #expect(at(32).authenticationConfigurationAPIVersion == "apiserver.config.k8s.io/v1beta1")
        #expect(at(34).authenticationConfigurationAPIVersion == "apiserver.config.k8s.io/v1")
        #expect(at(28).kubeletSparesPauseImage && !at(29).kubeletSparesPauseImage)
        #expect(!at(20).servesEndpointSliceV1 && at(21).servesEndpointSliceV1)
        #expect(!at(21).servesEvictionV1 && at(22).servesEvictionV1)
        #expect(at(23).kubeletConfigMapName == "kubelet-config-1.23" && at(24).kubeletConfigMapName == "kubelet-config")
        let flags = ["3.4.13-0", "3.5.24-0", "3.6.8-0"].compactMap(ProgramVersion.init).map(EtcdFlags.peerSkipClientSANVerification)
        #expect(flags.map { $0.hasPrefix("experimental-") } == [true, true, false])
        #expect(at(21).etcdImageTag == "3.4.13-0" && at(22).etcdImageTag == "3.5.24-0" && at(34).etcdImageTag == "3.6.8-0")
        #expect(at(35).pauseImageTag == "3.10.1" && at(36).pauseImageTag == "3.10.2")
        #expect(at(34).coreDNSImage == "coredns/coredns:v1.12.1" && at(36).coreDNSImage == "coredns/coredns:v1.14.2")
    }
}

struct ProgramVersionTests {
    @Test(arguments: [
        ("1.6.20~ds1-1+b1", "1.6.20"), ("2.0.0", "2.0"), ("6.1", "6.1"), ("1.8.9 (nf_tables)", "1.8.9"), ("3", "3.0"),
    ])
    func theNumbersAtTheBeginningAreRead(_ text: String, _ shown: String) {
        #expect(ProgramVersion(text)?.description == shown)
    }

    @Test(arguments: ["", "v1.2", "unknown", "99999999999999999999.1"])
    func whatIsNoVersionIsNone(_ text: String) { #expect(ProgramVersion(text) == nil) }

    @Test func versionsAreComparedByNumber() {
        #expect(ProgramVersion(1, 6) < ProgramVersion(1, 6, 20) && ProgramVersion(1, 6, 20) < ProgramVersion(1, 10))
        #expect(ProgramVersion("1.6.0") == ProgramVersion(1, 6))
    }

    @Test func kubeletsNeedTheirContainerd() {
        let (old, middle, new) = (KubernetesVersion(1, 20, 2), KubernetesVersion(1, 24, 0), KubernetesVersion(1, 26, 0))
        #expect([old, middle, new].map { $0.containerdVersions.contains(ProgramVersion(1, 4, 13)) } == [true, true, false])
        #expect([old, middle, new].map { $0.containerdVersions.contains(ProgramVersion(1, 6, 20)) } == [true, true, true])
        #expect([old, middle, new].map { $0.containerdVersions.contains(ProgramVersion(2, 1)) } == [false, true, true])
    }
}
