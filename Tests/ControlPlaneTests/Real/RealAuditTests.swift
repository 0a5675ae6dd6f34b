import Foundation
import KubernetesAPI
import NestboxAPI
import TestKubernetes
import Testing
import Yams

@testable import ControlPlane

/// The audit webhook of a real kube-apiserver, started as its pod starts it, with the policy of `nodepools/audit-and-login.yaml` and a
/// collector that answers.
@Suite(.enabled(if: TestBinaries.found != nil, "no Kubernetes and etcd: nestbox artifacts get"), .timeLimit(.minutes(5)))
struct RealAuditTests {
    private static func policy() throws -> [String: JSONValue] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "nodepools/audit-and-login.yaml"), encoding: .utf8)
        return try #require(try YAMLDecoder().decode(HostedCluster.self, from: text).spec?.controlPlane?.audit?.policy)
    }

    @Test func eventsReachTheCollectorThroughTheTunnelAndSecretsDoNot() async throws {
        let authority = try CertificateAuthority(commonName: "collector-ca", lifetime: 3600, now: Date())
        let certificate = try authority.issue(
            CertificateRequest(commonName: "collector", ipAddresses: ["127.0.0.1"], usages: [.server], lifetime: 3600), now: Date())
        let policy = try Self.policy()
        try await StubServer.with(certificate: certificate) { _, _ in
            [.answer(200, "{}")]
        } _: { collector in
            let kubeconfig = Kubeconfig.inline(
                name: "collector", server: "\(collector.url)/events", certificateAuthority: authority.certificatePEM,
                user: "tenant", credential: .token("the-collectors-token"))
            let audit: (inout HostedClusterSpec) -> Void = {
                $0.controlPlane = ControlPlaneSpec(
                    audit: AuditSpec(policy: policy, webhook: AuditWebhookSpec(kubeconfigSecret: "collector")))
            }
            try await RealControlPlane.with(auditWebhook: kubeconfig, audit) { tenant in
                try await TunnelSocket.with(tenant.tunnelSocket) { tunnel in
                    try await tenant.start()
                    try await work(tenant)
                    try await Collected(collector).check()
                    #expect(Set(tunnel.targets) == ["127.0.0.1:\(collector.port)"])
                }
            }
        }
    }

    private func work(_ tenant: RealControlPlane) async throws {
        for arguments in [
            ["create", "secret", "generic", "hidden", "--from-literal=password=\(Collected.secret)"],
            ["get", "secret", "hidden", "-o", "yaml"],
            ["create", "configmap", "noted", "--from-literal=a=\(Collected.secret)"],
            ["create", "service", "clusterip", "whole", "--tcp=80:80"],
        ] {
            let result = try await tenant.kubectl("bootstrap", arguments)
            #expect(result.status == 0, "\(result.output)")
        }
    }
}

/// What has come to a collector.
private struct Collected {
    /// Of a Secret, and of a ConfigMap that is used as one.
    static let secret = "correct-horse-battery-staple"
    let collector: StubServer

    init(_ collector: StubServer) { self.collector = collector }

    private func events() throws -> [JSONValue] {
        try collector.requests.flatMap { request in
            try JSONDecoder().decode(JSONValue.self, from: Data(request.body.utf8))["items"]?.array ?? []
        }
    }

    private func event(_ verb: String, _ name: String) throws -> JSONValue? {
        try events().first { $0["verb"]?.string == verb && $0["objectRef"]?["name"]?.string == name }
    }

    func check() async throws {
        // They are sent in batches, half a minute apart at most.
        try await eventually("what was done is told") {
            try [("create", "hidden"), ("get", "hidden"), ("create", "noted"), ("create", "whole")]
                .allSatisfy { try event($0.0, $0.1) != nil }
        }
        for name in ["hidden", "noted"] {
            let event = try event("create", name)
            #expect(event?["level"] == "Metadata" && event?["requestObject"] == nil && event?["responseObject"] == nil)
        }
        let whole = try event("create", "whole")
        #expect(whole?["requestObject"]?["spec"]?["ports"]?.array?.first?["port"]?.integer == 80)
        let encoded = Base64(text: Self.secret).encoded
        for request in collector.requests {
            #expect(request.method == "POST" && request.path == "/events")
            // The Secret's kubeconfig is what it is sent by: its authority, or there would be no request, and its credential.
            #expect(request.headers["authorization"] == "Bearer the-collectors-token")
            #expect(!request.body.contains(Self.secret) && !request.body.contains(encoded))
        }
    }
}
