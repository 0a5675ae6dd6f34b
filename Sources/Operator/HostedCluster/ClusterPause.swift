import Foundation
import KubernetesAPI
import NestboxAPI

/// A pause that is not over yet. Pure.
struct ClusterPause: Equatable {
    /// Seconds.
    var left: TimeInterval
    /// RFC 3339, as the spec has it.
    var until: String
    /// Whoever paused it may have said why.
    var why: String?
    /// When the first certificate ends, should that be before the pause does: paused, none is renewed.
    var certificateEnds: String?
}

extension ClusterPause {
    /// Nil when it is not paused.
    init?(_ cluster: HostedCluster, now: Date) {
        guard let until = cluster.spec?.pausedUntil, let end = Timestamp.parse(until), end > now else { return nil }
        let expiry = cluster.status?.certificates?.nextExpiry
        self.init(
            left: end.timeIntervalSince(now), until: until, why: cluster.metadata.annotations?[HostedClusterAnnotation.pauseReason],
            certificateEnds: expiry.flatMap { text in Timestamp.parse(text).flatMap { $0 < end ? text : nil } })
    }

    var message: String {
        let reason = why.map { ": \($0.prefix(1000))" } ?? ""
        let warning =
            certificateEnds.map { "; its first certificate ends before that, at \($0), and none is renewed while it is paused" } ?? ""
        return "paused until \(until)\(reason)\(warning)"
    }
}

extension ClusterReport {
    mutating func pause(_ pause: ClusterPause?, of cluster: HostedCluster) {
        let condition = "ReconciliationActive"
        if let pause {
            set(condition, false, reason: "Paused", message: pause.message)
        } else if let until = cluster.spec?.pausedUntil {
            set(condition, true, reason: "PauseEnded", message: "the pause until \(until) is over")
        } else {
            set(condition, true, reason: "Active")
        }
    }
}
