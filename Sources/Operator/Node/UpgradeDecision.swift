import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import NodeJoin

/// What a node that is upgraded where it is does next, as seen from inside its tenant. Pure.
enum UpgradeDecision: Equatable {
    /// The pool wants another template by now, and turns it round.
    case wait
    /// Its pods are moved away, until then at the latest; nil for ever.
    case drain(until: Date?)
    /// The machines operator gets its ticket.
    case install
    /// It runs, and its Node is not yet what it should be, in words.
    case verify(String)
    /// It is a node of the new template.
    case finish
    /// It failed, and what was there before runs again.
    case fallBack

    /// - Parameters:
    ///   - version: of the template's kubelet.
    ///   - revision: of the pool's newest template.
    ///   - patience: with the drain, from its beginning; 0 for ever.
    init(_ upgrade: MachineUpgrade, node: Node?, version: KubernetesVersion, revision: String, patience: TimeInterval, now: Date) {
        if upgrade.failure != nil {
            self = .fallBack
        } else if upgrade.revision != revision {
            self = .wait
        } else if let started = upgrade.kubeletStartedAt.flatMap(Timestamp.parse) {
            if let lacking = Self.lacking(node, version: version, since: started) { self = .verify(lacking) } else { self = .finish }
        } else if upgrade.drainedAt != nil {
            self = .install
        } else {
            let start = Timestamp.parse(upgrade.startedAt) ?? now
            let deadline = patience > 0 ? start.addingTimeInterval(patience) : nil
            // From a node that is not Ready nothing can be moved; but one that is so for a moment is waited for, and its pods serve.
            let silence = node?.notReadySince?.addingTimeInterval(LeaveDecision.patienceWithSilence)
            let end = [deadline, silence].compactMap(\.self).min()
            let canDrain = node.map { $0.isReady || silence != nil } ?? false
            self = canDrain && end.map { now < $0 } != false ? .drain(until: end) : .install
        }
    }

    private static func lacking(_ node: Node?, version: KubernetesVersion, since started: Date) -> String? {
        guard let node else { return "its Node is not there yet" }
        let running = node.status?.nodeInfo?.kubeletVersion
        guard running.flatMap({ KubernetesVersion($0) }) == version else {
            return "its Node reports kubelet \(running.map { MachineWords.cleaned($0, limit: 32) } ?? "of no version")"
        }
        let ready = node.status?.conditions?.first { $0.type == "Ready" }
        // What an earlier kubelet said is no proof. Both times are the machine's own.
        guard let heartbeat = ready?.lastHeartbeatTime.flatMap(Timestamp.parse), heartbeat >= started else {
            return "its Node was not heard of since the kubelet started"
        }
        return node.isReady ? nil : NodeHealth(node).message
    }
}
