import Foundation
import KubernetesAPI
import NestboxAPI
import TestKubernetes
import Testing

@testable import ControlPlane

/// What is rendered, held to the real thing.
@Suite(.serialized, .enabled(if: TestBinaries.found != nil, "no Kubernetes and etcd: nestbox artifacts get"), .timeLimit(.minutes(10)))
struct RealControlPlaneTests {
    @Test func aTenantComesToBeAndItsNodesGetCertificates() async throws {
        try await RealControlPlane.with { tenant in
            try await tenant.start()
            try await appliesAndThenChangesNothing(tenant)
            try await givesEachItsRights(tenant)
            try await removesWhatIsNoLongerWanted(tenant)
            try await signsWhatTheOperatorApproves(tenant)
        }
    }

    /// Two and a half minutes pass for real, for the certificates that it starts with are at their end by then: those who have to read the new
    /// ones have, and nobody was refused anything meanwhile.
    @Test func servesOnPastTheEndOfTheCertificatesThatItBeganWith() async throws {
        try await outlive(includingControllers: false)
    }

    /// The same with kube-controller-manager, which takes up to five minutes.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["NESTBOX_TEST_LAB"] == "1"))
    func itsControllersWorkOnToo() async throws {
        try await outlive(includingControllers: true)
    }

    private func outlive(includingControllers: Bool) async throws {
        let left: TimeInterval = 150
        let end = Date().addingTimeInterval(left)
        let short: (inout HostedClusterSpec) -> Void = { $0.certificates = CertificatesSpec(leafLifetime: "10m") }
        try await RealControlPlane.with(issued: end.addingTimeInterval(-600), short) { tenant in
            try await tenant.start()
            #expect(try tenant.renew().count == Leaf.allCases.count)
            var (requests, failures) = (0, [String]())
            while Date() < end.addingTimeInterval(3) {
                for arguments in [["create", "configmap", "c\(requests)"], ["get", "configmaps", "-o", "name"]] {
                    let result = try await tenant.kubectl("bootstrap", arguments + ["--request-timeout=10s"])
                    if result.status != 0 { failures.append(result.output) }
                    requests += 1
                }
                try await Task.sleep(for: .milliseconds(300))
            }
            #expect(failures.isEmpty && requests > 20, "\(failures.count) of \(requests) failed, such as \(failures.first ?? "")")
            // Each of these is a handshake with what came after the renewal: kube-apiserver's with kubectl, and both ends' with etcd's.
            try await tenant.restartEtcd()
            try await eventually("kube-apiserver is etcd's client again") {
                try await tenant.kubectl("bootstrap", "create", "configmap", "after-\(UUID().uuidString.lowercased())").status == 0
            }
            if includingControllers {
                try await eventually("kube-controller-manager works", within: .seconds(330)) {
                    let name = "n-\(UUID().uuidString.prefix(8).lowercased())"
                    _ = try await tenant.kubectl("bootstrap", "create", "namespace", name)
                    try await Task.sleep(for: .seconds(3))
                    return try await tenant.kubectl("bootstrap", "-n", name, "get", "serviceaccount", "default").status == 0
                }
                print("kube-controller-manager worked \(Int(Date().timeIntervalSince(end))) s after its certificate's end")
            }
        }
    }

    /// What the spec asks of audit and login is what kube-apiserver starts with, and records.
    @Test func recordsWhatThePolicySays() async throws {
        let recording: (inout HostedClusterSpec) -> Void = {
            $0.controlPlane = ControlPlaneSpec(
                audit: AuditSpec(policy: [
                    "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
                    "rules": [
                        ["level": "Request", "resources": [["group": "", "resources": ["configmaps"]]], "verbs": ["create"]],
                        ["level": "None"],
                    ],
                ]),
                oidc: OIDCSpec(issuerURL: "https://127.0.0.1:1/", clientID: "kubernetes", requiredClaims: ["a": "1", "b": "2"]))
        }
        try await RealControlPlane.with(recording) { tenant in
            try await tenant.start()
            #expect(try await tenant.kubectl("bootstrap", "create", "configmap", "recorded", "--from-literal=a=b").status == 0)
            try await eventually("the event is recorded") {
                tenant.log("kube-apiserver").split(separator: "\n").contains {
                    $0.contains(#""kind":"Event""#) && $0.contains(#""name":"recorded""#) && $0.contains(#""level":"Request""#)
                }
            }
            #expect(!tenant.log("kube-apiserver").contains(#""verb":"watch""#))
        }
    }

    private func appliesAndThenChangesNothing(_ tenant: RealControlPlane) async throws {
        try await tenant.apply(TenantObjects.access(tenant.input.settings), as: "bootstrap")
        let configuration = TenantObjects.configuration(tenant.input) + TenantObjects.addons(tenant.input)
        try await tenant.apply(configuration, as: "operator")
        func versions() async throws -> String {
            let kinds = "roles,rolebindings,clusterroles,clusterrolebindings,endpoints,endpointslices,configmaps,serviceaccounts,services"
            return try await tenant.kubectl(
                "admin", "get", kinds, "-A", "-l", "\(NestboxLabel.managedBy)=nestbox", "-o",
                "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{\"\\n\"}{end}"
            ).output
        }
        // At first the controllers still add what is theirs: signatures to cluster-info, tokens to ServiceAccounts. An apply of ours
        // that changed something would do so every time.
        try await eventually("applying again changes nothing") {
            let before = try await versions()
            try await tenant.apply(TenantObjects.access(tenant.input.settings), as: "bootstrap")
            try await tenant.apply(configuration, as: "operator")
            return try await versions() == before
        }
        // What the host is given is valid, whatever comes of it here.
        try await tenant.apply(try ControlPlane.desiredState(of: tenant.input).flatMap(\.objects), as: "admin")
    }

    /// Once after `join.kubeadm` and the addons were on, and once when there is nothing to remove: that is what every pass does.
    private func removesWhatIsNoLongerWanted(_ tenant: RealControlPlane) async throws {
        var input = tenant.input
        input.settings.spec.join = JoinSpec(kubeadm: true)
        try await tenant.apply(TenantObjects.access(input.settings), as: "bootstrap")
        try await tenant.apply(TenantObjects.addons(input), as: "operator")
        input.settings.spec.join = JoinSpec(kubeadm: false)
        input.settings.spec.addons = AddonsSpec(kubeProxy: AddonSpec(enabled: false), coreDNS: CoreDNSSpec(enabled: false))
        let unwanted = TenantObjects.unwanted(input)
        #expect(unwanted.count >= 10)
        for round in 1...2 {
            for object in unwanted {
                let type = Swift.type(of: object).resourceType
                let result = try await tenant.kubectl(
                    "operator",
                    ["delete", "--ignore-not-found", "--wait=false", "\(type)", object.name]
                        + (object.namespace.map { ["-n", $0] } ?? []))
                #expect(result.status == 0, "\(result.output)")
                #expect(result.output.contains("deleted") == (round == 1), "\(type) \(object.name)")
            }
        }
    }

    private func givesEachItsRights(_ tenant: RealControlPlane) async throws {
        func can(_ user: String, _ words: String) async throws -> Bool {
            let result = try await tenant.kubectl(user, ["auth", "can-i", "-q"] + words.split(separator: " ").map { String($0) })
            return result.status == 0
        }
        for words in ["delete nodes", "create pods --subresource=eviction", "create secrets -n kube-system", "patch endpoints -n default"] {
            #expect(try await can("operator", words), "operator: \(words)")
        }
        for words in ["get secrets -n default", "create clusterrolebindings", "create pods", "get secrets -A", "impersonate users"] {
            #expect(try await !can("operator", words), "operator: \(words)")
        }
        #expect(try await can("admin", "* *"))
        #expect(try await tenant.anonymous("/livez") == 200)
        #expect(try await tenant.anonymous("/readyz") == 200)
        #expect(try await tenant.anonymous("/api/v1/namespaces/kube-public/configmaps/cluster-info") == 200)
        // Known but forbidden before 1.32, unknown to begin with from there.
        #expect([401, 403].contains(try await tenant.anonymous("/api/v1/nodes")))
        #expect([401, 403].contains(try await tenant.anonymous("/api/v1/namespaces/kube-public/configmaps/other")))
    }

    private func signsWhatTheOperatorApproves(_ tenant: RealControlPlane) async throws {
        let token = BootstrapToken()
        try await tenant.apply([token.object(forMachine: "worker-1", now: Date())], as: "operator")
        try tenant.write(tenant.kubeconfig("machine", .token(token.value)), to: "machine.kubeconfig")
        let key = try await Command.run(["/usr/bin/openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"]).output
        try tenant.write(key, to: "machine.key")
        let request = try await Command.run([
            "/usr/bin/openssl", "req", "-new", "-key", "\(tenant.directory)/machine.key", "-subj",
            "/O=system:nodes/CN=system:node:worker-1",
        ]).output
        let csr = CertificateSigningRequest(
            metadata: ObjectMeta(name: "worker-1"),
            spec: CertificateSigningRequestSpec(
                request: Base64(text: request), signerName: "kubernetes.io/kube-apiserver-client-kubelet",
                usages: ["digital signature", "key encipherment", "client auth"]))
        let created = try await tenant.kubectl("machine", "create", "-f", "-", input: try JSONValue(encoding: csr).text)
        #expect(created.status == 0, "\(created.output)")
        func read() async throws -> CertificateSigningRequest {
            let text = try await tenant.kubectl("operator", "get", "csr", "worker-1", "-o", "json").output
            return try JSONDecoder().decode(CertificateSigningRequest.self, from: Data(text.utf8))
        }
        let pending = try await read()
        #expect(pending.spec?.username == token.user)
        #expect(pending.spec?.groups?.contains(NestboxName.bootstrappersGroup) == true)
        // Nothing approves it by itself, and the machine cannot.
        #expect(try await tenant.kubectl("machine", "certificate", "approve", "worker-1").status != 0)
        #expect(try await read().status?.conditions == nil)
        #expect(try await tenant.kubectl("operator", "certificate", "approve", "worker-1").status == 0)
        var certificate: String?
        try await eventually("the controller-manager signs") {
            certificate = try await read().status?.certificate?.text
            return certificate != nil
        }
        let facts = try CertificateFacts(certificatePEM: try #require(certificate))
        #expect(facts.commonName == "system:node:worker-1")
        #expect(facts.organizations == ["system:nodes"])
        #expect(facts.notAfter <= Date().addingTimeInterval(168 * 3600))
    }

    @Test func anEtcdThatLostItsDataDoesNotStartEmpty() async throws {
        try await RealControlPlane.with { tenant in
            try tenant.startEtcd(isBootstrapped: true)
            let status = try await tenant.exitStatusOfLast(within: 60)
            #expect(status != nil && status != 0, "\(tenant.log("etcd").suffix(500))")
            #expect(tenant.log("etcd").contains("couldn't find local name"), "\(tenant.log("etcd").suffix(500))")
        }
    }
}
