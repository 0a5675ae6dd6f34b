import Foundation
import KubernetesAPI

/// What an admin kubeconfig was made of, kept as an annotation beside it: enough to tell when it has to be made anew.
struct KubeconfigOrigin: Equatable {
    var server: String
    var fingerprint: String
    var madeAt: Date
    var expires: Date
}

extension KubeconfigOrigin {
    var text: String { [server, fingerprint, Timestamp.format(madeAt), Timestamp.format(expires)].joined(separator: " ") }

    init?(_ text: String) {
        let parts = text.split(separator: " ").map(String.init)
        guard parts.count == 4, let madeAt = Timestamp.parse(parts[2]), let expires = Timestamp.parse(parts[3]) else { return nil }
        self.init(server: parts[0], fingerprint: parts[1], madeAt: madeAt, expires: expires)
    }

    /// Whether it still leads to this cluster, with more than a third of its life left.
    func isGood(server: String, fingerprint: String, lifetime: TimeInterval, now: Date) -> Bool {
        self.server == server && self.fingerprint == fingerprint && expires <= madeAt.addingTimeInterval(lifetime + 60)
            && expires.timeIntervalSince(now) > expires.timeIntervalSince(madeAt) / 3
    }
}
