import ControlPlane
import Testing

@testable import Operator

@Suite("CertificateDecision")
struct CertificateDecisionTests {
    static let record = NodeRecord(
        node: "worker-1", addresses: ["10.0.0.1"], podCIDR: "10.244.0.0/24", notBefore: NodeRecord.pending, since: nil, epoch: 1)
    static let client = ["key encipherment", "digital signature", "client auth"]
    static let serving = ["key encipherment", "digital signature", "server auth"]

    static func request(_ node: String, dns: [String] = [], ip: [String] = []) -> NodeCertificateRequest {
        NodeCertificateRequest(commonName: "system:node:\(node)", organizations: ["system:nodes"], dnsNames: dns, ipAddresses: ip)
    }

    func decide(
        _ signer: String, _ username: String, _ usages: [String], _ request: NodeCertificateRequest?, token: String? = nil,
        record: NodeRecord? = CertificateDecisionTests.record, isKubeadms: Bool = false
    ) -> CertificateDecision {
        CertificateDecision(
            signer: signer, username: username, usages: usages, request: request, tokenMachine: token, record: record,
            isKubeadms: isKubeadms)
    }

    @Test func aTokenGetsItsOwnMachinesName() {
        let mine = decide(
            CertificateDecision.clientSigner, "system:bootstrap:abcdef", Self.client, Self.request("worker-1"), token: "worker-1")
        #expect(mine == .approve)
    }

    @Test func aTokenDoesNotGetAnothersName() {
        let other = decide(
            CertificateDecision.clientSigner, "system:bootstrap:abcdef", Self.client, Self.request("worker-1"), token: "worker-2")
        #expect(other == .deny("the bootstrap token was not made for worker-1"))
        let spent = decide(CertificateDecision.clientSigner, "system:bootstrap:abcdef", Self.client, Self.request("worker-1"))
        #expect(spent == .deny("the bootstrap token was not made for worker-1"))
    }

    @Test func kubeadmsTokensGetNamesThatNobodyHas() {
        func ask(_ node: String, record: NodeRecord?, isKubeadms: Bool = true, usages: [String] = Self.client) -> CertificateDecision {
            decide(
                CertificateDecision.clientSigner, "system:bootstrap:abcdef", usages, Self.request(node), record: record,
                isKubeadms: isKubeadms)
        }
        var own = Self.record
        (own.isKubeadms, own.addresses, own.podCIDR) = (true, [], "")
        #expect(ask("box.example.com", record: nil) == .approve)
        #expect(ask("worker-1", record: own) == .approve)
        own.notBefore = "2026-01-01T00:00:00Z"
        let taken = "worker-1 is a node already: give the machine another name (--node-name), or delete that node first"
        #expect(ask("worker-1", record: own) == .deny(taken))
        // A pool's.
        #expect(ask("worker-1", record: Self.record) == .deny(taken))
        #expect(ask("box", record: nil, isKubeadms: false) != .approve)
        #expect(ask("box", record: nil, usages: Self.serving) != .approve)
        for name in ["api-endpoints", "", "Box", "a/b", ".a"] { #expect(ask(name, record: nil) == .deny("\(name) is no name for a node")) }
        // It is the token that may, and not whoever asks beside it.
        #expect(
            decide(
                CertificateDecision.clientSigner, "system:node:other", Self.client, Self.request("box"), record: nil, isKubeadms: true)
                != .approve)
    }

    @Test func aServingCertificateWaitsForTheNodesAddresses() {
        var own = Self.record
        (own.isKubeadms, own.addresses) = (true, [])
        let request = Self.request("worker-1", dns: ["worker-1"], ip: ["10.0.0.1"])
        func ask() -> CertificateDecision {
            decide(CertificateDecision.servingSigner, "system:node:worker-1", Self.serving, request, record: own)
        }
        #expect(ask() == .later)
        own.addresses = ["10.0.0.1"]
        #expect(ask() == .approve)
    }

    @Test func aNodeRenewsWhileTheRecordHasIt() {
        let renewal = decide(CertificateDecision.clientSigner, "system:node:worker-1", Self.client, Self.request("worker-1"))
        #expect(renewal == .approve)
        let removed = decide(
            CertificateDecision.clientSigner, "system:node:worker-1", Self.client, Self.request("worker-1"), record: nil)
        #expect(removed == .deny("worker-1 is no node of this cluster by the operator's record"))
    }

    @Test(
        "Serving certificates name recorded addresses only",
        arguments: [
            (dns: ["worker-1"], ip: ["10.0.0.1"], approved: true),
            ([], ["10.0.0.1"], true),
            (["worker-1", "kubernetes.default"], ["10.0.0.1"], false),
            (["worker-1"], ["10.0.0.2"], false),
            ([], [], false),
        ])
    func serving(dns: [String], ip: [String], approved: Bool) {
        let decision = decide(
            CertificateDecision.servingSigner, "system:node:worker-1", Self.serving, Self.request("worker-1", dns: dns, ip: ip))
        #expect((decision == .approve) == approved)
    }

    @Test func otherSubjectsUsagesAndSignersGetNothing() {
        var admin = Self.request("worker-1")
        admin.organizations = ["system:masters"]
        #expect(decide(CertificateDecision.clientSigner, "system:node:worker-1", Self.client, admin) != .approve)
        #expect(decide(CertificateDecision.clientSigner, "system:node:worker-1", Self.serving, Self.request("worker-1")) != .approve)
        #expect(decide(CertificateDecision.clientSigner, "system:node:worker-2", Self.client, Self.request("worker-1")) != .approve)
        #expect(decide(CertificateDecision.clientSigner, "system:node:worker-1", Self.client, nil) != .approve)
        #expect(decide("kubernetes.io/kube-apiserver-client", "jane", Self.client, nil) == .ignore)
    }
}
