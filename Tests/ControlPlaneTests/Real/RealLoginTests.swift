import Foundation
import KubernetesAPI
import NestboxAPI
import TestKubernetes
import Testing

@testable import ControlPlane

/// Login by OpenID Connect at a real kube-apiserver, started as its pod starts it, with an issuer that answers.
///
/// Nothing listens at the tunnel's socket: the issuer is called directly, as `EgressSelector` says.
@Suite(.enabled(if: TestBinaries.found != nil, "no Kubernetes and etcd: nestbox artifacts get"), .timeLimit(.minutes(5)))
struct RealLoginTests {
    @Test func whomTheIssuerVouchesForGetsInAndNobodyElse() async throws {
        let issuer = try Issuer()
        try await StubServer.with(certificate: issuer.certificate) { request, _ in
            issuer.answer(request, at: "https://\(request.headers["host"] ?? "")")
        } _: { server in
            let url = server.url + Issuer.path
            let login: (inout HostedClusterSpec) -> Void = {
                $0.controlPlane = ControlPlaneSpec(
                    oidc: OIDCSpec(
                        issuerURL: url, clientID: "kubernetes", groupsClaim: "groups", groupsPrefix: "login:",
                        requiredClaims: ["tenant": "demo"], certificateAuthority: issuer.authority.certificatePEM))
            }
            try await RealControlPlane.with(login) { tenant in
                try await tenant.start()
                let visit = Visit(tenant: tenant, issuer: issuer, url: url)
                try await visit.alice()
                try await visit.others()
                #expect(Set(server.requests.map(\.path)) == ["\(Issuer.path)/.well-known/openid-configuration", "\(Issuer.path)/keys"])
            }
        }
    }
}

private struct Visit {
    let tenant: RealControlPlane
    let issuer: Issuer
    let url: String

    /// Of somebody in the group of developers, for ten minutes.
    private func claims(_ change: [String: JSONValue?] = [:]) -> JSONValue {
        let now = Int(Date().timeIntervalSince1970)
        var claims: JSONValue = [
            "iss": .string(url), "aud": "kubernetes", "sub": "alice", "groups": ["developers"], "tenant": "demo",
            "iat": .integer(now - 120), "exp": .integer(now + 600),
        ]
        for (name, value) in change { claims[name] = value }
        return claims
    }

    func alice() async throws {
        let token = try issuer.token(claims())
        // kube-apiserver looks for the issuer every ten seconds until it finds it.
        try await eventually("the issuer is known") { try await review(token).authenticated == true }
        let user = try await review(token).user
        #expect(user?.username == "\(url)#alice")
        #expect(Set(user?.groups ?? []) == ["login:developers", "system:authenticated"])
        // One key of an issuer is as good as another, on every version.
        #expect(try await review(try issuer.token(claims(), signed: .ecdsa)).user == user)

        // What she may do is her group's to say.
        let refused = try await kubectl(token, "get", "configmaps")
        #expect(refused.status != 0 && refused.output.contains("\(url)#alice"), "\(refused.output)")
        let binding = ["create", "rolebinding", "developers", "--clusterrole=view", "--group=login:developers"]
        #expect(try await tenant.kubectl("bootstrap", binding).status == 0)
        try await eventually("the group may look") { try await kubectl(token, "get", "configmaps").status == 0 }
        let written = try await kubectl(token, "create", "configmap", "hers")
        #expect(written.status != 0 && written.output.contains("forbidden"), "\(written.output)")
    }

    func others() async throws {
        let past = Int(Date().timeIntervalSince1970) - 60
        let tokens = [
            ("for somebody else", try issuer.token(claims(["aud": "another-client"]))),
            ("that has ended", try issuer.token(claims(["exp": .integer(past)]))),
            ("of another issuer", try issuer.token(claims(["iss": "https://login.example.com/realms/demo"]))),
            ("that another key signed", try issuer.token(claims(), signed: .forged)),
            ("without a claim that is required", try issuer.token(claims(["tenant": nil]))),
            ("with another value of that claim", try issuer.token(claims(["tenant": "shop"]))),
        ]
        for (what, token) in tokens {
            #expect(try await review(token).authenticated != true, "a token \(what)")
            let answer = try await kubectl(token, "get", "configmaps")
            #expect(answer.status != 0 && answer.output.contains("Unauthorized"), "a token \(what): \(answer.output)")
        }
    }

    /// Who kube-apiserver takes its bearer for.
    private func review(_ token: String) async throws -> TokenReviewStatus {
        let question = TokenReview(metadata: ObjectMeta(), spec: TokenReviewSpec(token: token))
        let answer = try await tenant.kubectl(
            "bootstrap", "create", "-o", "json", "-f", "-", input: try JSONValue(encoding: question).text)
        return try #require(try JSONDecoder().decode(TokenReview.self, from: Data(answer.output.utf8)).status, "\(answer.output)")
    }

    private func kubectl(_ token: String, _ arguments: String...) async throws -> Command.Result {
        try tenant.write(tenant.kubeconfig("person", .token(token)), to: "person.kubeconfig")
        return try await tenant.kubectl("person", arguments)
    }
}
