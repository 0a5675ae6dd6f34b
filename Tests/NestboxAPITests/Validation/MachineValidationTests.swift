import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@Suite struct MachineValidationTests {
    static func machine(_ change: (inout MachineSpec) -> Void = { _ in }, name: String = "worker-1", labels: [String: String]? = nil)
        -> Machine
    {
        var spec = MachineSpec(address: "192.0.2.10", sshKeySecret: "key")
        change(&spec)
        return Machine(metadata: ObjectMeta(name: name, labels: labels), spec: spec)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var change: @Sendable (inout MachineSpec) -> Void
        init(_ line: String, _ change: @escaping @Sendable (inout MachineSpec) -> Void) {
            testDescription = line
            self.change = change
        }
    }

    static let ed25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    static let notAKey = "is not a host key as ssh-keyscan shows it after the host's name: a type and base64, ssh-ed25519 AAAA..."
    static let user = "is not a user name: 32 letters, digits, dots, dashes and underscores at most, a letter or underscore first"

    static let wrong = [
        Wrong("spec.address: is needed: where the machine answers SSH") { $0.address = nil },
        Wrong("spec.address: \"\" is not an IPv4 address") { $0.address = "" },
        Wrong("spec.address: \"192.0.2.256\" is not an IPv4 address") { $0.address = "192.0.2.256" },
        Wrong("spec.address: \"192.0.2.10:22\" is not an IPv4 address") { $0.address = "192.0.2.10:22" },
        Wrong("spec.address: \"root@host\" is not an IPv4 address") { $0.address = "root@host" },
        Wrong("spec.address: \"-oProxyCommand=x\" is not an IPv4 address") { $0.address = "-oProxyCommand=x" },
        Wrong("spec.address: \"host.example\" is not an IPv4 address") { $0.address = "host.example" },
        Wrong("spec.address: 127.0.0.1 is of 127.0.0.0/8, which is loopback") { $0.address = "127.0.0.1" },
        Wrong("spec.address: 0.0.0.0 is of 0.0.0.0/8, which means this host") { $0.address = "0.0.0.0" },
        Wrong("spec.port: 0 is not a port: 1 to 65535") { $0.port = 0 },
        Wrong("spec.port: 65536 is not a port: 1 to 65535") { $0.port = 65536 },
        Wrong("spec.user: \"a b\" \(user)") { $0.user = "a b" },
        Wrong("spec.user: \"-x\" \(user)") { $0.user = "-x" },
        Wrong("spec.user: \"$(id)\" \(user)") { $0.user = "$(id)" },
        Wrong("spec.sshKeySecret: is needed: the Secret in the operator's namespace that holds the private key") { $0.sshKeySecret = nil },
        Wrong(
            "spec.sshKeySecret: \"other/key\" is not a DNS name: labels of lower-case letters, digits and dashes, with dots between them, "
                + "253 characters at most"
        ) { $0.sshKeySecret = "other/key" },
        Wrong("spec.allowedNamespaces[1]: \"B\" \(HostedClusterValidationTests.label)") { $0.allowedNamespaces = ["a", "B"] },
        Wrong("spec.hostKey: \(notAKey)") { $0.hostKey = "" },
        Wrong("spec.hostKey: \(notAKey)") { $0.hostKey = ed25519 },
        Wrong("spec.hostKey: \(notAKey)") { $0.hostKey = "SHA256:abc" },
        Wrong("spec.hostKey: \(notAKey)") { $0.hostKey = "ssh-ed25519 not*base64" },
        Wrong("spec.hostKey: \(notAKey)") { $0.hostKey = "ssh-ed25519 \(ed25519)\nssh-ed25519 \(ed25519)" },
        Wrong("spec.hostKey: what follows ssh-ed25519 is no key of that type: was it cut off?") { $0.hostKey = "ssh-ed25519 AAAAC3NzaC1l" },
        Wrong("spec.hostKey: what follows ecdsa-sha2-nistp256 is no key of that type: was it cut off?") {
            $0.hostKey = "ecdsa-sha2-nistp256 \(ed25519)"
        },
        Wrong(
            "spec.hostKey: \"ssh-rsa\" is not one of ssh-ed25519, ecdsa-sha2-nistp256, ecdsa-sha2-nistp384, ecdsa-sha2-nistp521"
        ) { $0.hostKey = "ssh-rsa AAAAB3NzaC1yc2EA" },
        Wrong("spec.jumpHost.address: is needed: where the jump host answers SSH") { $0.jumpHost = JumpHostSpec() },
        Wrong("spec.jumpHost.address: \"a_b\" is not an IPv4 address or a DNS name") { $0.jumpHost = JumpHostSpec(address: "a_b") },
        Wrong("spec.jumpHost.port: 70000 is not a port: 1 to 65535") { $0.jumpHost = JumpHostSpec(address: "b", port: 70000) },
        Wrong("spec.jumpHost.user: \"a b\" \(user)") { $0.jumpHost = JumpHostSpec(address: "b", user: "a b") },
        Wrong("spec.jumpHost.hostKey: \(notAKey)") { $0.jumpHost = JumpHostSpec(address: "b", hostKey: "x") },
    ]

    @Test(arguments: wrong) func saysWhatIsWrong(wrong: Wrong) {
        #expect(Self.machine(wrong.change).validate().map(\.description) == [wrong.testDescription])
    }

    @Test(arguments: [
        Wrong("the least") { _ in },
        Wrong("a key") { $0.hostKey = "ssh-ed25519 \(ed25519)" },
        Wrong("a key with a comment") { $0.hostKey = "ssh-ed25519 \(ed25519) root@worker-1" },
        Wrong("a user of a directory") { $0.user = "svc_nest.box-1" },
        Wrong("nobody may claim it") { $0.allowedNamespaces = [] },
        Wrong("a jump host") { $0.jumpHost = JumpHostSpec(address: "bastion.example.com", port: 2222, user: "jump", sshKeySecret: "b") },
    ])
    func takesWhatIsRight(right: Wrong) {
        #expect(Self.machine(right.change).validate() == [])
    }

    /// A private key where its Secret's name belongs.
    @Test func showsLittleOfWhatMayBeAKey() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZWQSECRET"
        let lines = Self.machine { $0.sshKeySecret = key }.validate().map(\.description)
        #expect(lines.count == 1 && lines.allSatisfy { !$0.contains("SECRET") && !$0.contains("\n") && $0.contains("…") })
    }

    @Test func itsNameIsItsNodes() {
        #expect(Self.machine(name: "worker.example").validate().map(\.path) == ["metadata.name"])
        #expect(
            Self.machine(name: "api-endpoints").validate().map(\.description) == [
                "metadata.name: api-endpoints is a name that Nestbox keeps for itself"
            ])
        #expect(Self.machine(labels: ["rack": "1 2"]).validate().map(\.path) == ["metadata.labels[rack]"])
    }

    @Test(arguments: [
        ("192.0.2.10", nil), ("host.example", nil), ("10.244.9.9", "10.244.9.9 is inside spec.network.pods, 10.244.0.0/16"),
        ("10.96.0.1", "10.96.0.1 is inside spec.network.services, 10.96.0.0/16"),
        ("172.20.0.1", "172.20.0.1 is spec.network.nodeLocalAPIAddress"),
    ])
    func itsAddressIsNotOfTheClustersNetworks(address: String, clash: String?) {
        let cluster = HostedClusterUpdateTests.cluster(HostedClusterSpec(version: KubernetesVersion(1, 20, 2)))
        let errors = Self.machine { $0.address = address }.validate(in: cluster)
        #expect(errors.map(\.description) == (clash.map { ["spec.address: \($0) of HostedCluster tenants/demo"] } ?? []))
    }
}
