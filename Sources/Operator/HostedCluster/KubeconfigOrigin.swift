import ControlPlane
import Foundation
import KubernetesAPI
import NestboxAPI

/// What an admin kubeconfig was made of, kept as an annotation beside it: enough to tell when it has to be made anew.
struct KubeconfigOrigin: Equatable {
    var server: String
    var fingerprint: String
    var madeAt: Date
    var expires: Date

    /// On the Secret.
    static let annotation = "nestbox.dev/kubeconfig-origin"
}

extension KubeconfigOrigin {
    var text: String { [server, fingerprint, Timestamp.format(madeAt), Timestamp.format(expires)].joined(separator: " ") }

    init?(_ text: String) {
        let parts = text.split(separator: " ").map(String.init)
        guard parts.count == 4, let madeAt = Timestamp.parse(parts[2]), let expires = Timestamp.parse(parts[3]) else { return nil }
        self.init(server: parts[0], fingerprint: parts[1], madeAt: madeAt, expires: expires)
    }

    /// When it is to be made anew: with a third of its life left.
    var renewal: Date { Renewal.due(notBefore: madeAt, notAfter: expires) }

    /// Whether it still leads where the wanted one would, and need not be made anew yet.
    ///
    /// - Parameters:
    ///   - lifetime: what is asked for; the wanted one may be shorter, for it does not outlive its authority.
    ///   - asked: when somebody asked for a new one.
    func serves(_ wanted: KubeconfigOrigin, lifetime: TimeInterval, asked: Date?) -> Bool {
        guard server == wanted.server, fingerprint == wanted.fingerprint, asked.map({ madeAt >= $0 }) ?? true else { return false }
        // One with a longer life than is asked for was made before that was.
        guard expires <= madeAt.addingTimeInterval(lifetime + 60) else { return false }
        return wanted.madeAt < renewal || expires >= wanted.expires.addingTimeInterval(-60)
    }

    /// As the status shows it.
    var record: CertificateStatus {
        CertificateStatus(
            name: CertificateRenewalRequest.kubeconfig, kind: .kubeconfig, notBefore: Timestamp.format(madeAt),
            notAfter: Timestamp.format(expires), renewal: Timestamp.format(renewal), takenUp: .download)
    }
}

/// What to do with the Secret that an admin kubeconfig goes into. Pure.
enum KubeconfigDecision: Equatable {
    case keep(KubeconfigOrigin)
    case make
    /// Somebody else made it: to write it would destroy it, and to own it would delete it with the cluster.
    case leaveAlone
}

extension KubeconfigDecision {
    /// - Parameters:
    ///   - wanted: one that would be made now.
    ///   - lifetime: what is asked for.
    ///   - asked: when somebody asked for a new one.
    init(present: Secret?, clusterUID: String, wanted: KubeconfigOrigin, lifetime: TimeInterval, asked: Date? = nil) {
        guard let present else {
            self = .make
            return
        }
        let origin = present.metadata.annotations?[KubeconfigOrigin.annotation]
        let isOwned = present.metadata.ownerReferences?.contains { $0.uid == clusterUID } == true
        guard origin != nil || isOwned else {
            self = .leaveAlone
            return
        }
        self =
            origin.flatMap { KubeconfigOrigin($0) }.flatMap { $0.serves(wanted, lifetime: lifetime, asked: asked) ? .keep($0) : nil }
            ?? .make
    }
}
