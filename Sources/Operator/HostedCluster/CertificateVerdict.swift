import ControlPlane
import Foundation
import KubernetesAPI
import NestboxAPI

/// What a person should know of a cluster's certificates, by what its status says of them. Pure.
struct CertificateVerdict: Equatable {
    /// Those that have ended.
    var expired: [String] = []
    /// An authority that ends soon, in a sentence.
    var authority: String?
}

extension CertificateVerdict {
    static let valid = "CertificatesValid"
    static let authorityExpiring = "AuthorityExpiring"

    init(_ certificates: CertificatesStatus, now: Date) {
        for item in certificates.items ?? [] where item.kind != .kubeconfig {
            guard let end = Timestamp.parse(item.notAfter), let start = Timestamp.parse(item.notBefore) else { continue }
            if end <= now { expired.append(item.name) }
            guard item.kind == .authority, authority == nil, now >= Self.warning(start, end) else { continue }
            authority =
                "\(item.name) \(end <= now ? "ended" : "ends") at \(item.notAfter), and no certificate can outlast it: the cluster has to be "
                + "moved to new authorities by then"
        }
    }

    /// A year ahead, or a fifth of a life that is short.
    private static func warning(_ start: Date, _ end: Date) -> Date {
        end.addingTimeInterval(-min(365 * 86400, end.timeIntervalSince(start) / 5))
    }
}

extension ClusterReport {
    /// The control plane's own certificates, in place of those that were known; the kubeconfig's stays.
    mutating func certificates(_ records: [CertificateStatus]) {
        setItems(records + (status.certificates?.items ?? []).filter { $0.kind == .kubeconfig })
    }

    /// The admin kubeconfig's; nil while there is none.
    mutating func kubeconfigCertificate(_ record: CertificateStatus?) {
        setItems((status.certificates?.items ?? []).filter { $0.kind != .kubeconfig } + [record].compactMap(\.self))
    }

    private mutating func setItems(_ items: [CertificateStatus]) {
        update { status in
            let leaves = items.filter { $0.kind == .leaf }
            status.certificates = CertificatesStatus(
                // As text: all are of one form and one zone.
                nextExpiry: leaves.map(\.notAfter).min(), nextRenewal: leaves.compactMap(\.renewal).min(),
                authorityExpiry: items.filter { $0.kind == .authority }.map(\.notAfter).min(), items: items,
                renewal: status.certificates?.renewal)
        }
    }

    /// Says it when one has ended, and well ahead when an authority will. Also of a cluster that is paused, whose are not renewed.
    mutating func judgeCertificates(now: Date = Date()) {
        guard let certificates = status.certificates, certificates.items?.isEmpty == false else { return }
        let verdict = CertificateVerdict(certificates, now: now)
        set(
            CertificateVerdict.valid, verdict.expired.isEmpty, reason: verdict.expired.isEmpty ? "Valid" : "Expired",
            message: verdict.expired.isEmpty
                ? ""
                : "ended: \(verdict.expired.joined(separator: ", ")); ReconciliationSucceeded and ReconciliationActive say why no new ones came"
        )
        if let sentence = verdict.authority {
            set(CertificateVerdict.authorityExpiring, true, reason: "EndsSoon", message: sentence)
        } else if status.conditions?.named(CertificateVerdict.authorityExpiring) != nil {
            set(CertificateVerdict.authorityExpiring, false, reason: "Lasts")
        }
    }

    /// Notes that what was issued when somebody asked for it is in use: by pods that were rolled where that takes a roll, and as a kubeconfig
    /// that is offered.
    mutating func completeRenewal(
        _ request: CertificateRenewalRequest?, _ settings: ClusterSettings, isRolledOut: Bool, isOffered: Bool
    ) {
        guard let renewal = status.certificates?.renewal, renewal.state == .issued else { return }
        let order = request.flatMap { $0.id == renewal.id ? RenewalOrder($0) : nil }
        let takesRoll = order?.leaves.contains { !$0.isReloaded(settings) } ?? true
        guard isRolledOut || !takesRoll, isOffered || order?.renewsKubeconfig != true else { return }
        update { $0.certificates?.renewal?.state = .completed }
    }
}
