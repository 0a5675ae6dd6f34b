import ControlPlane
import Foundation
import KubernetesAPI
import NestboxAPI

/// What somebody asked to be renewed, understood. Pure.
struct RenewalOrder: Equatable {
    let id: String
    var leaves: Set<Leaf> = []
    var renewsKubeconfig = false
    /// Names that no certificate has: then none is renewed.
    var unknown: [String] = []
}

extension RenewalOrder {
    init(_ request: CertificateRenewalRequest) {
        id = request.id
        guard let names = request.certificates else {
            leaves = Set(Leaf.allCases)
            renewsKubeconfig = true
            return
        }
        unknown = names.filter { $0 != CertificateRenewalRequest.kubeconfig && Leaf(rawValue: $0) == nil }.sorted()
        guard unknown.isEmpty else { return }
        leaves = Set(names.compactMap(Leaf.init))
        renewsKubeconfig = names.contains(CertificateRenewalRequest.kubeconfig)
    }

    func answer(at now: Date) -> CertificateRenewal {
        guard unknown.isEmpty else {
            let known = Leaf.allCases.map(\.rawValue) + [CertificateRenewalRequest.kubeconfig]
            // An authority's is the most likely of all: it can be seen in the list.
            return CertificateRenewal(
                id: id, state: .refused,
                message: "\(unknown.prefix(5).map { String($0.prefix(63)) }.joined(separator: ", ")) cannot be renewed; these can: "
                    + known.joined(separator: ", "))
        }
        let count = leaves.count + (renewsKubeconfig ? 1 : 0)
        return CertificateRenewal(
            id: id, state: .issued, message: "\(count) issued anew", issuedAt: Timestamp.format(now))
    }

    /// For an event.
    static func sentence(_ renewed: [(leaf: Leaf, reason: RenewalReason)], _ settings: ClusterSettings) -> String {
        let rolling = renewed.map(\.leaf).filter { !$0.isReloaded(settings) }
        let names = renewed.map(\.leaf.rawValue).joined(separator: ", ")
        let first = renewed.first.map { "; of \($0.leaf.rawValue): \($0.reason)" } ?? ""
        return
            "renewed \(names)\(rolling.isEmpty ? "" : ", and rolls the control plane's pods for \(rolling.map(\.rawValue).joined(separator: ", "))")\(first)"
    }
}
