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
        record: NodeRecord? = CertificateDecisionTests.record
    ) -> CertificateDecision {
        CertificateDecision(signer: signer, username: username, usages: usages, request: request, tokenMachine: token, record: record)
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
