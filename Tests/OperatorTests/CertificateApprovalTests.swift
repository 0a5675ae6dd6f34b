import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Synchronization
import TestKubernetes
import Testing

@testable import Operator

/// The approval of kubelets' certificates on a real API server.
@Suite(.integration, .kubernetes, .timeLimit(.minutes(10))) struct CertificateApprovalTests {
    /// For `system:node:worker-1`, by openssl; its key was thrown away.
    static let request = """
        -----BEGIN CERTIFICATE REQUEST-----
        MIHyMIGYAgEAMDYxFTATBgNVBAoMDHN5c3RlbTpub2RlczEdMBsGA1UEAwwUc3lz
        dGVtOm5vZGU6d29ya2VyLTEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS5BrpU
        erszWTiRdOIG1WvGhmr4js7dRfOlppokbvMFFvySgvVJ2WxoHf4LOuL7zsSyu39f
        UvNNncI4HsxVF34coAAwCgYIKoZIzj0EAwIDSQAwRgIhAKkg7X0ISVPHRq5XyJSf
        Zfv9nmymouou7SSFphlFtzQAAiEAk4K/ris5EWI+FHSWXKYReQlMlCPwxXYv7m5d
        WorkmAE=
        -----END CERTIFICATE REQUEST-----
        """

    /// A token's Secret, and a request that was made with it and approved by an operator that then ended.
    private func approvedRequest(_ token: String, machine: String?, _ client: KubernetesClient) async throws -> ObjectKey {
        let labels = machine.map { [BootstrapToken.machineLabel: $0] }
        _ = try await client.create(
            Secret(
                metadata: ObjectMeta(name: "bootstrap-token-\(token)", namespace: "kube-system", labels: labels),
                type: "bootstrap.kubernetes.io/token", data: ["token-id": Base64(text: token)]))
        let kubelet = try TestKubernetes.current().configuration(user: "system:bootstrap:\(token)")
        var request = try await TestKubernetes.current().withClient(kubelet) {
            try await $0.create(
                CertificateSigningRequest(
                    metadata: ObjectMeta(name: "node-csr-\(token)"),
                    spec: CertificateSigningRequestSpec(
                        request: Base64(text: Self.request), signerName: CertificateDecision.clientSigner,
                        usages: ["digital signature", "client auth"])))
        }
        request.status = CertificateSigningRequestStatus(
            conditions: [StatusCondition(type: "Approved", status: "True", reason: CertificateDecision.approvedReason, message: "")])
        _ = try await client.subresource(
            .put, "approval", of: CertificateSigningRequest.self, request.name, namespace: nil, body: request)
        return ObjectKey(request)
    }

    /// Runs `body` with an approval that sees what there is.
    private func withApproval(
        as access: ClientConfiguration, rightsLost: @escaping @Sendable () -> Void = {},
        _ body: @Sendable (CertificateApproval) async throws -> Void
    ) async throws {
        let cluster = try TestKubernetes.current()
        try await cluster.withClient { admin in
            let requests = Informer<CertificateSigningRequest>(client: admin, logger: .quiet)
            try await cluster.withClient(access) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await requests.run() }
                    defer { group.cancelAll() }
                    try await requests.waitUntilSynced()
                    try await body(CertificateApproval(client: client, requests: requests, logger: .quiet, rightsLost: rightsLost))
                }
            }
        }
    }

    @Test func aTokenThatOutlivedItsApprovalIsTakenAway() async throws {
        let cluster = try TestKubernetes.current()
        try await cluster.withClient { client in
            let ours = try await approvedRequest("aaaaaa", machine: "worker-1", client)
            let tenants = try await approvedRequest("bbbbbb", machine: nil, client)
            try await withApproval(as: cluster.configuration()) { approval in
                for key in [ours, tenants] { _ = try await approval.reconcile(key) }
            }
            #expect(try await client.find(Secret.self, "bootstrap-token-aaaaaa", namespace: "kube-system") == nil)
            #expect(try await client.find(Secret.self, "bootstrap-token-bbbbbb", namespace: "kube-system") != nil)
        }
    }

    @Test func lostRightsAreTold() async throws {
        let cluster = try TestKubernetes.current()
        let calls = Mutex(0)
        try await cluster.withClient { client in
            let key = try await approvedRequest("cccccc", machine: "worker-1", client)
            let nobody = try cluster.configuration(user: "nobody", groups: ["nobodies"])
            try await withApproval(as: nobody, rightsLost: { calls.withLock { $0 += 1 } }) { approval in
                await #expect(throws: KubernetesError.self) { try await approval.reconcile(key) }
            }
        }
        let told = calls.withLock { $0 }
        #expect(told == 1)
    }
}
