import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

/// Audit, login and extra arguments: refused where they would break what Nestbox relies on, before anything is touched.
@Suite struct ControlPlaneConfigurationTests {
    private static let policy: [String: JSONValue] = [
        "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [["level": "Metadata"]],
    ]
    private static let login = OIDCSpec(issuerURL: "https://login.example.com", clientID: "kubernetes")

    private func problems(_ change: (inout ControlPlaneSpec) -> Void) -> [String] {
        var spec = ControlPlaneSpec()
        change(&spec)
        return HostedCluster(
            metadata: ObjectMeta(name: "c", namespace: "default"),
            spec: HostedClusterSpec(version: KubernetesVersion(1, 30, 0), controlPlane: spec)
        ).validate().map { $0.description.replacing("spec.controlPlane.", with: "") }
    }

    private func auditProblems(_ change: (inout AuditSpec) -> Void) -> [String] {
        problems {
            var audit = AuditSpec(policy: Self.policy)
            change(&audit)
            $0.audit = audit
        }
    }

    @Test func anAuditPolicyIsOne() {
        #expect(auditProblems { _ in } == [])
        #expect(auditProblems { $0.policy = nil } == ["audit.policy: is needed: without one kube-apiserver records nothing"])
        #expect(auditProblems { $0.policy?["apiVersion"] = "audit.k8s.io/v1beta1" } == ["audit.policy.apiVersion: is not audit.k8s.io/v1"])
        #expect(auditProblems { $0.policy?["kind"] = "Event" } == ["audit.policy.kind: is not Policy"])
        #expect(auditProblems { $0.policy?["rules"] = [] }.first?.hasPrefix("audit.policy.rules: is not a list of rules") == true)
        #expect(
            auditProblems { $0.policy?["rules"] = [["level": "All"]] } == [
                "audit.policy.rules[0].level: \"All\" is not one of None, Metadata, Request, RequestResponse"
            ])
        #expect(auditProblems { $0.policy?["rules"] = ["Metadata"] }.first?.hasPrefix("audit.policy.rules[0]: is not a rule") == true)
        #expect(
            auditProblems { $0.policy?["rules"] = [["level": "None", "user": ["a"]]] }.first?.contains("rules[0].user: is not a field")
                == true)
        #expect(
            auditProblems { $0.policy?["rules"] = [["level": "None", "users": "a"]] } == ["audit.policy.rules[0].users: is not a list"])
        #expect(
            auditProblems { $0.policy?["rules"] = [["level": "None", "resources": [], "nonResourceURLs": ["/x"]]] }.first?
                .contains("a request is of one kind or the other") == true)
        #expect(
            auditProblems { $0.policy?["omitStages"] = ["Begin"] } == [
                "audit.policy.omitStages: \"Begin\" is not one of RequestReceived, ResponseStarted, ResponseComplete, Panic"
            ])
    }

    @Test func whereEventsGo() {
        #expect(auditProblems { $0.log = AuditLogSpec(destination: .file, maxAge: 1, maxBackup: 2, maxSize: 3) } == [])
        #expect(
            auditProblems { $0.log = AuditLogSpec(maxAge: 1) } == [
                "audit.log.maxAge: is for destination File alone: the host rotates what is written to Stdout"
            ])
        #expect(
            auditProblems { $0.log = AuditLogSpec(destination: .file, maxSize: 0) } == ["audit.log.maxSize: 0 is not between 1 and 1024"])
        #expect(
            auditProblems { $0.webhook = AuditWebhookSpec() } == [
                "audit.webhook.kubeconfigSecret: is needed: a Secret in the cluster's namespace"
            ])
        #expect(auditProblems { $0.webhook = AuditWebhookSpec(kubeconfigSecret: "A b") }.count == 1)
    }

    @Test func anIssuerIsOne() {
        func loginProblems(_ change: (inout OIDCSpec) -> Void) -> [String] {
            problems {
                var login = Self.login
                change(&login)
                $0.oidc = login
            }
        }
        #expect(loginProblems { _ in } == [])
        #expect(loginProblems { $0.issuerURL = "https://login.example.com:8443/realms/a" } == [])
        for url in [
            "http://login.example.com", "https://", "https:///x", "https://a b", "https://u@h", "https://h?x", "https://h#x", "login",
        ] {
            #expect(loginProblems { $0.issuerURL = url }.first?.contains("is not an https URL") == true, "\(url)")
        }
        #expect(loginProblems { $0.issuerURL = nil } == ["oidc.issuerURL: is needed, such as https://login.example.com"])
        #expect(loginProblems { $0.clientID = nil }.first?.hasPrefix("oidc.clientID: is needed") == true)
        #expect(loginProblems { $0.groupsPrefix = "x:" } == ["oidc.groupsPrefix: has no meaning without groupsClaim"])
        #expect(loginProblems { $0.usernamePrefix = "system:" }.first?.contains("Kubernetes' own") == true)
        #expect(loginProblems { $0.requiredClaims = ["a=b": "c"] }.first?.contains("has a = in its name") == true)
        #expect(loginProblems { $0.certificateAuthority = "x" }.first?.contains("is not a certificate in PEM") == true)
        #expect(
            loginProblems {
                $0.certificateAuthority = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----"
            } == ["oidc.certificateAuthority: holds a private key: give the certificate alone"])
    }

    private func flagProblems(_ flag: String, _ value: String, _ change: (inout ControlPlaneSpec) -> Void = { _ in }) -> [String] {
        problems {
            $0.extraArguments = ExtraArguments(apiServer: [flag: value])
            change(&$0)
        }
    }

    @Test func flagsThatWouldBreakIt() {
        #expect(flagProblems("goaway-chance", "0.001") == [])
        #expect(
            flagProblems("audit-policy-file", "/x")
                == [
                    "extraArguments.apiServer[audit-policy-file]: names a file, and kube-apiserver's container has none of yours: "
                        + "set spec.controlPlane.audit.policy"
                ].map { $0.replacing("spec.controlPlane.", with: "") })
        #expect(flagProblems("encryption-provider-config", "/x").first?.contains("names a file") == true)
        #expect(flagProblems("audit-log-path", "-") == [])
        #expect(
            flagProblems("audit-log-path", "-") { $0.audit = AuditSpec(policy: Self.policy) } == [
                "extraArguments.apiServer[audit-log-path]: audit sets this flag"
            ])
        #expect(flagProblems("audit-log-format", "legacy") { $0.audit = AuditSpec(policy: Self.policy) } == [])
        #expect(flagProblems("oidc-client-id", "a") == [])
        #expect(
            flagProblems("oidc-client-id", "a") { $0.oidc = Self.login } == [
                "extraArguments.apiServer[oidc-client-id]: oidc sets this flag"
            ])
        #expect(
            flagProblems("feature-gates", "ServerSideApply=false").first?.contains("ServerSideApply is what Nestbox works with") == true)
        #expect(flagProblems("feature-gates", "A=true, AllBeta = False").count == 1)
        #expect(flagProblems("feature-gates", "ServerSideApply=true,InPlacePodVerticalScaling=false") == [])
        #expect(flagProblems("runtime-config", "api/beta=false").count == 1)
        #expect(flagProblems("runtime-config", "certificates.k8s.io/v1=false").count == 1)
        // As Go reads them.
        #expect(flagProblems("runtime-config", "certificates.k8s.io/v1=0").count == 1)
        #expect(flagProblems("feature-gates", "ServerSideApply=F").count == 1)
        #expect(flagProblems("runtime-config", "api/alpha=false,batch/v1=false,certificates.k8s.io/v1=true") == [])
        #expect(flagProblems("disable-admission-plugins", "CertificateApproval").first?.contains("may approve them") == true)
        #expect(flagProblems("emulated-version", "1.31").first?.contains("Nestbox sets this flag") == true)
        for flag in ["data-dir", "listen-client-urls", "initial-cluster", "peer-cert-file", "quota-backend-bytes", "force-new-cluster"] {
            #expect(
                problems { $0.extraArguments = ExtraArguments(etcd: [flag: "x"]) } == [
                    "extraArguments.etcd[\(flag)]: Nestbox sets this flag of etcd itself"
                ])
        }
        #expect(problems { $0.extraArguments = ExtraArguments(etcd: ["heartbeat-interval": "250"]) } == [])
    }

    @Test func whatIsAskedOfCertificatesIsRead() throws {
        let request = CertificateRenewalRequest(id: "1", certificates: ["apiserver"])
        var cluster = HostedCluster(
            metadata: ObjectMeta(name: "c", annotations: [CertificateRenewalRequest.annotation: try request.annotationText]))
        #expect(cluster.pendingCertificateRenewal == request && request.asks(for: "apiserver") && !request.asks(for: "kubeconfig"))
        #expect(CertificateRenewalRequest(id: "1").asks(for: "kubeconfig"))
        cluster.status = HostedClusterStatus(
            certificates: CertificatesStatus(renewal: CertificateRenewal(id: "1", state: .issued)))
        #expect(cluster.pendingCertificateRenewal == nil)
        for text in ["", "{}", #"{"id": ""}"#, #"{"id": "a b"}"#, #"{"id": "\#(String(repeating: "a", count: 65))"}"#] {
            #expect(CertificateRenewalRequest(annotation: text) == nil, "\(text)")
        }
    }
}
