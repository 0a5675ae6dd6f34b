import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import ControlPlane

@Suite struct AuditAndLoginTests {
    static let policy: [String: JSONValue] = [
        "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [["level": "Metadata"]],
    ]
    static let login = OIDCSpec(
        issuerURL: "https://login.example.com:8443/realm", clientID: "kubernetes", groupsClaim: "groups", groupsPrefix: "login:",
        requiredClaims: ["b": "2", "a": "1"],
        certificateAuthority: "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n")

    private func input(
        _ minor: Int, audit: AuditSpec? = nil, oidc: OIDCSpec? = nil, webhook: String? = nil, release: String? = nil
    ) throws -> ControlPlaneInput {
        let cluster = Fixture.cluster(KubernetesVersion(1, minor, 2)) {
            $0.controlPlane = ControlPlaneSpec(audit: audit, oidc: oidc)
            if let release { $0.release = release }
        }.withDefaults()
        #expect(cluster.validate() == [])
        var input = try Fixture.input(cluster)
        input.auditWebhook = webhook
        return input
    }

    private func pod(_ input: ControlPlaneInput) throws -> PodSpec {
        let deployment = try ControlPlane.pods(input).compactMap { $0 as? Deployment }.first
        return try #require(deployment?.spec?.template?.spec)
    }

    private func flags(_ input: ControlPlaneInput, _ prefix: String) throws -> [String] {
        try #require(try pod(input).containers?.first?.command).filter { $0.hasPrefix("--\(prefix)") }
    }

    /// What a pod is made of, in both templates, on a version that is told by flags and on one that is given a file.
    @Test(arguments: [20, 36], TemplateRevision.allCases)
    func theWholeOfIt(minor: Int, release: TemplateRevision) throws {
        let audit = AuditSpec(policy: Self.policy, log: AuditLogSpec(destination: .file), webhook: AuditWebhookSpec(kubeconfigSecret: "c"))
        let input = try input(minor, audit: audit, oidc: Self.login, webhook: "kubeconfig\n", release: release.release)
        var objects = try ControlPlane.pods(input) + ControlPlane.namespace(input.settings).filter { $0.metadata.name == "oidc" }
        objects = objects.map { object in
            guard var secret = object as? Secret else { return object }
            secret.stringData = secret.data?.mapValues { $0.text ?? "" }
            secret.data = nil
            return secret
        }
        try Golden.check(try Golden.text(objects), "\(release.release)/audit-and-login/1.\(minor).json")
    }

    @Test func standardOutputUnlessAskedOtherwise() throws {
        let plain = try input(30, audit: AuditSpec(policy: Self.policy))
        #expect(
            try flags(plain, "audit") == ["--audit-log-path=-", "--audit-policy-file=/etc/nestbox/configuration/audit-policy.json"])
        #expect(try pod(plain).volumes?.contains { $0.name == "audit-log" } == false)
        let file = try input(30, audit: AuditSpec(policy: Self.policy, log: AuditLogSpec(destination: .file, maxBackup: 2, maxSize: 10)))
        #expect(try flags(file, "audit-log-max") == ["--audit-log-maxbackup=2", "--audit-log-maxsize=10"])
        #expect(try pod(file).volumes?.first { $0.name == "audit-log" }?.emptyDir?.sizeLimit == "40Mi")
        // A webhook alone needs no log.
        let webhook = try input(
            30, audit: AuditSpec(policy: Self.policy, webhook: AuditWebhookSpec(kubeconfigSecret: "c")), webhook: "kubeconfig")
        #expect(
            try flags(webhook, "audit") == [
                "--audit-policy-file=/etc/nestbox/configuration/audit-policy.json",
                "--audit-webhook-config-file=/etc/nestbox/audit-webhook/kubeconfig",
            ])
    }

    /// A new policy, another kubeconfig of the webhook: the pods are rolled, and for nothing else.
    @Test func whatIsConfiguredRollsThePods() throws {
        func hash(_ input: ControlPlaneInput) throws -> String? {
            try ControlPlane.pods(input).compactMap { $0 as? Deployment }.first?.spec?.template?.metadata?
                .annotations?[NestboxLabel.configurationHash]
        }
        let audit = AuditSpec(policy: Self.policy, webhook: AuditWebhookSpec(kubeconfigSecret: "c"))
        let before = try hash(try input(30, audit: audit, webhook: "a"))
        #expect(try hash(try input(30, audit: audit, webhook: "a")) == before)
        #expect(try hash(try input(30, audit: audit, webhook: "b")) != before)
        var other = audit
        other.policy?["rules"] = [["level": "None"]]
        #expect(try hash(try input(30, audit: other, webhook: "a")) != before)
    }

    /// Flags up to 1.31; then a file, with which kube-apiserver refuses the flags.
    @Test(arguments: Array(KubernetesVersion.supportedMinors)) func eitherFlagsOrAFile(minor: Int) throws {
        let input = try input(minor, oidc: Self.login)
        let file = AuthenticationConfiguration.render(input.settings) ?? ""
        let flags = try flags(input, "oidc")
        #expect(flags.isEmpty == file.contains("login.example.com"))
        #expect(minor < 32 ? flags.count == 10 : flags.isEmpty)
    }

    @Test func namesAreTheSameOnEveryVersion() throws {
        for (spec, prefix) in [
            (OIDCSpec(issuerURL: "https://i", clientID: "c"), "https://i#"),
            (OIDCSpec(issuerURL: "https://i", clientID: "c", usernameClaim: "email"), ""),
            (OIDCSpec(issuerURL: "https://i", clientID: "c", usernamePrefix: "-"), ""),
            (OIDCSpec(issuerURL: "https://i", clientID: "c", usernamePrefix: "x:"), "x:"),
        ] {
            #expect(OIDC.arguments(try input(20, oidc: spec).settings)["oidc-username-prefix"] == (prefix.isEmpty ? "-" : prefix))
            let mapping = OIDC.authenticator(try input(36, oidc: spec).settings)?["claimMappings"]?["username"]
            #expect(mapping?["prefix"] == .string(prefix))
        }
    }

    @Test func theIssuerIsReachedAndNothingElse() throws {
        let input = try input(36, oidc: Self.login)
        let policy = ControlPlane.namespace(input.settings).compactMap { $0 as? NetworkPolicy }.first { $0.name == "oidc" }
        #expect(policy?.spec?.egress?.first?.ports?.map(\.port) == [.int(8443)])
        #expect(!ControlPlane.unneeded(input).contains { $0 is NetworkPolicy })
        #expect(ControlPlane.unneeded(input).map(\.name).suffix(1) == ["audit-webhook"])
        #expect(ControlPlane.unneeded(try self.input(36)).map(\.name).suffix(2) == ["oidc", "audit-webhook"])
    }

    @Test func etcdsExtraFlagsAreAddedAndItsOwnStay() throws {
        let cluster = Fixture.cluster(KubernetesVersion(1, 30, 0)) {
            $0.controlPlane = ControlPlaneSpec(
                extraArguments: ExtraArguments(etcd: ["heartbeat-interval": "250", "client-cert-auth": "false"]))
        }
        let set = ControlPlane.etcd(try Fixture.input(cluster)).compactMap { $0 as? StatefulSet }.first
        let command = set?.spec?.template?.spec?.containers?.first?.command ?? []
        #expect(command.contains("--heartbeat-interval=250") && command.contains("--client-cert-auth=true"))
    }
}
