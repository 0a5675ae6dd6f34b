import ControlPlane

/// Whether to approve a kubelet's certificate request. Pure.
///
/// kube-controller-manager's own approver would give any bootstrap token of the group any node's name; this one gives a
/// token the name of the Machine it was made for, and a node a renewal only while the operator's record has it.
enum CertificateDecision: Equatable {
    case approve
    case deny(String)
    /// What decides is not known yet.
    case later
    /// Not a request of a kubelet: left for whoever it is for.
    case ignore
}

extension CertificateDecision {
    static let clientSigner = "kubernetes.io/kube-apiserver-client-kubelet"
    static let servingSigner = "kubernetes.io/kubelet-serving"
    /// On a request that the operator approved.
    static let approvedReason = "NestboxApproved"

    /// - Parameters:
    ///   - request: what `spec.request` holds, parsed.
    ///   - tokenMachine: the Machine the requester's bootstrap token was made for; nil when the requester is none or it is gone.
    ///   - record: the operator's record of the node the request names.
    ///   - isKubeadms: whether the requester is a token of kubeadm's group, of a cluster that lets these join.
    init(
        signer: String, username: String, usages: [String], request: NodeCertificateRequest?, tokenMachine: String?, record: NodeRecord?,
        isKubeadms: Bool = false
    ) {
        guard signer == Self.clientSigner || signer == Self.servingSigner else {
            self = .ignore
            return
        }
        // Its Node came a moment ago, and its addresses go into the record with it.
        if signer == Self.servingSigner, let record, record.isKubeadms, record.addresses.isEmpty {
            self = .later
            return
        }
        self =
            Self.refusal(
                signer: signer, username: username, usages: usages, request: request, tokenMachine: tokenMachine, record: record,
                isKubeadms: isKubeadms
            ).map(Self.deny) ?? .approve
    }

    private static func refusal(
        signer: String, username: String, usages: [String], request: NodeCertificateRequest?, tokenMachine: String?, record: NodeRecord?,
        isKubeadms: Bool
    ) -> String? {
        guard let request else { return "the request is not a PKCS#10 certificate request" }
        guard let node = request.nodeName, request.organizations == ["system:nodes"] else {
            return "the subject is not a node's: CN=\(request.commonName) O=\(request.organizations.joined(separator: ","))"
        }
        if isKubeadms, signer == clientSigner, username.hasPrefix("system:bootstrap:") {
            // First come, first served: a name that is a node's, a pool's or kubeadm's, is nobody else's.
            if let record, !(record.isKubeadms && record.isPending) {
                return "\(node) is a node already: give the machine another name (--node-name), or delete that node first"
            }
            return clientRefusal(request, usages: usages) ?? (NodeRecord.mayName(node) ? nil : "\(node) is no name for a node")
        }
        guard let record, record.node == node else { return "\(node) is no node of this cluster by the operator's record" }
        let fromToken = username.hasPrefix("system:bootstrap:")
        if signer == clientSigner {
            if let refusal = clientRefusal(request, usages: usages) { return refusal }
            if fromToken {
                return tokenMachine == node ? nil : "the bootstrap token was not made for \(node)"
            }
            return username == "system:node:\(node)" ? nil : "\(username) may not ask for \(node)'s certificate"
        }
        guard Set(usages).isSubset(of: ["key encipherment", "digital signature", "server auth"]), usages.contains("server auth") else {
            return "the usages are not a server's: \(usages.joined(separator: ", "))"
        }
        guard username == "system:node:\(node)" else { return "\(username) may not ask for \(node)'s certificate" }
        let strangers =
            request.dnsNames.filter { $0 != node } + request.ipAddresses.filter { !record.addresses.contains($0) }
        guard strangers.isEmpty, !request.hasOtherNames else {
            return "names that are not \(node)'s by the operator's record: \(strangers.joined(separator: ", "))"
        }
        return request.dnsNames.isEmpty && request.ipAddresses.isEmpty ? "a serving certificate names no address" : nil
    }

    private static func clientRefusal(_ request: NodeCertificateRequest, usages: [String]) -> String? {
        guard Set(usages).isSubset(of: ["key encipherment", "digital signature", "client auth"]), usages.contains("client auth") else {
            return "the usages are not a client's: \(usages.joined(separator: ", "))"
        }
        guard request.dnsNames.isEmpty, request.ipAddresses.isEmpty, !request.hasOtherNames else {
            return "a client certificate takes no alternative names"
        }
        return nil
    }
}

extension NodeCertificateRequest {
    /// The node it speaks of; nil when the subject is not a node's.
    var nodeName: String? {
        commonName.hasPrefix("system:node:") ? String(commonName.dropFirst("system:node:".count)) : nil
    }
}
