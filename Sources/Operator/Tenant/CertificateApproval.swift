import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging

/// Approves and denies kubelets' certificate requests in one tenant, as `CertificateDecision` says.
struct CertificateApproval: Reconciler {
    private static let tokenUserPrefix = "system:bootstrap:"

    let client: KubernetesClient
    let requests: Informer<CertificateSigningRequest>
    let logger: Logger
    /// Whether machines may join by kubeadm.
    var allowsKubeadm: @Sendable () -> Bool = { false }
    /// Called when the tenant's API forbids what has to be done.
    let rightsLost: @Sendable () -> Void

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        do {
            return try await review(key)
        } catch let error as KubernetesError where error.isForbidden {
            rightsLost()
            throw error
        }
    }

    private func review(_ key: ObjectKey) async throws -> ReconcileResult {
        guard let request = requests.get(key), let spec = request.spec else { return .done }
        // Once more: the operator that approved it may have ended before it had the token away.
        if request.isApprovedByNestbox { try await takeToken(of: request) }
        if let certificate = request.status?.certificate {
            try await noteIssue(of: request, certificate: certificate)
            return .done
        }
        guard request.status?.conditions?.isEmpty ?? true else { return .done }

        let parsed = spec.request?.text.flatMap { try? NodeCertificateRequest(requestPEM: $0) }
        let record = try await parsed?.nodeName.asyncMap { try await client.nodeRecord($0) } ?? nil
        let token = try await bootstrapToken(of: spec.username ?? "")
        let isKubeadms =
            allowsKubeadm() && spec.groups?.contains(NestboxName.kubeadmBootstrappersGroup) == true
            && token?.metadata.labels?[BootstrapToken.machineLabel] == nil
        let decision = CertificateDecision(
            signer: spec.signerName ?? "", username: spec.username ?? "", usages: spec.usages ?? [], request: parsed,
            tokenMachine: token?.metadata.labels?[BootstrapToken.machineLabel], record: record, isKubeadms: isKubeadms)
        switch decision {
        case .ignore: return .done
        case .later: return .requeue(after: .seconds(2))
        case .approve:
            if isKubeadms, record == nil, let node = parsed?.nodeName {
                // From here on the name is taken, whatever becomes of the machine.
                try await client.applyNodeRecord(
                    NodeRecord(
                        node: node, addresses: [], podCIDR: "", notBefore: NodeRecord.pending,
                        since: request.metadata.creationTimestamp.flatMap(Timestamp.parse), epoch: 0, isKubeadms: true))
            }
            try await decide(request, "Approved", reason: CertificateDecision.approvedReason, message: "by the operator's record")
            try await takeToken(of: request)
        case .deny(let reason):
            logger.warning("certificate request denied", metadata: ["request": "\(request.name)", "reason": "\(reason)"])
            try await decide(request, "Denied", reason: "NestboxDenied", message: reason)
        }
        return .done
    }

    /// A token serves one machine once. One that was not made for a machine is the tenant's own.
    private func takeToken(of request: CertificateSigningRequest) async throws {
        guard let token = try await bootstrapToken(of: request.spec?.username ?? ""),
            token.metadata.labels?[BootstrapToken.machineLabel] != nil
        else { return }
        try await client.deleteIfPresent(Secret.self, token.name, namespace: token.namespace, uid: token.metadata.uid)
    }

    private func decide(_ request: CertificateSigningRequest, _ type: String, reason: String, message: String) async throws {
        var decided = request
        decided.status = CertificateSigningRequestStatus(
            conditions: [StatusCondition(type: type, status: "True", reason: reason, message: message)])
        _ = try await client.subresource(
            .put, "approval", of: CertificateSigningRequest.self, request.name, namespace: nil, body: decided)
    }

    private func bootstrapToken(of username: String) async throws -> Secret? {
        guard username.hasPrefix(Self.tokenUserPrefix) else { return nil }
        let id = username.dropFirst(Self.tokenUserPrefix.count)
        return try await client.find(Secret.self, ObjectKey(namespace: "kube-system", name: "bootstrap-token-\(id)"))
    }

    /// The first client certificate of a join starts the time from which the node's certificates are accepted: one of an
    /// earlier life of the machine is worthless from then on.
    private func noteIssue(of request: CertificateSigningRequest, certificate: Base64) async throws {
        guard request.spec?.signerName == CertificateDecision.clientSigner,
            request.spec?.username?.hasPrefix(Self.tokenUserPrefix) == true,
            let issued = certificate.text.flatMap({ try? CertificateFacts(certificatePEM: $0) }),
            let node = request.spec?.request?.text.flatMap({ try? NodeCertificateRequest(requestPEM: $0) })?.nodeName,
            var record = try await client.nodeRecord(node), record.isPending,
            // A request of an earlier join is not the one this record waits for.
            let created = request.metadata.creationTimestamp.flatMap(Timestamp.parse), let since = record.since, created >= since
        else { return }
        record.notBefore = Timestamp.format(issued.notBefore)
        try await client.applyNodeRecord(record)
    }
}

extension CertificateSigningRequest {
    fileprivate var isApprovedByNestbox: Bool {
        status?.conditions?.contains { $0.type == "Approved" && $0.reason == CertificateDecision.approvedReason } ?? false
    }
}

extension Optional {
    fileprivate func asyncMap<Result>(_ transform: (Wrapped) async throws -> Result) async rethrows -> Result? {
        guard let self else { return nil }
        return try await transform(self)
    }
}
