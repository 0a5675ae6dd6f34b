import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// How a pool's nodes get from an older template to the newest: what to do next for it. Pure; a part of `PoolDecision`.
///
/// The rule is that of a Deployment: never more Machines than replicas and `maxSurge`, never fewer ready nodes than replicas less
/// `maxUnavailable`; what is not ready and not of the newest template goes first, for it costs nothing.
struct RolloutDecision: Equatable {
    /// Machines of an older template to give back.
    var releases: [String] = []
    /// Machines to upgrade where they are, to `revision`.
    var upgrades: [String] = []
    /// How many Machines the pool may have now.
    var most = 0
    /// How many of these it wants claimed now, beside those it has.
    var wanted = 0
    var state = State.complete
    /// The newest template's; empty while that is not known.
    var revision = ""
    /// Machines whose node is of it, ready or not.
    var updated = 0
    /// Machines whose node is not, or not yet.
    var outdated = 0
    /// Machines that are on their way to it.
    var coming = 0
    /// Machines of older templates that are given back, and whose nodes are not empty yet.
    var draining = 0
    /// When there is something to be said that no change of an object tells.
    var lookAgain: Date?
    /// Whether a Machine beyond replicas was wanted, and none is there.
    var lacksSurge = false

    enum State: Equatable {
        case complete
        case rolling
        /// By `spec.upgrade.paused`.
        case paused
        /// This Machine did not become Ready, with what it says of it.
        case failed(machine: String, why: String)
    }

    /// Why not even Machines that replicas lack are claimed, in a sentence: the next one would fail like this one.
    var hold: String? {
        guard case .failed(let machine, let why) = state, outdated > 0 else { return nil }
        return "the rollout stopped at Machine \(machine): \(why)"
    }

    /// Whether nothing at all goes on: nodes may be less than wanted, no Machine is there to be one more, and none may be taken out.
    var isStuck: Bool { lacksSurge && releases.isEmpty && upgrades.isEmpty && coming == 0 }
}

extension RolloutDecision {
    /// - Parameters:
    ///   - machines: every Machine with this pool's claim.
    ///   - staying: those of them that the pool holds and that are not deleted.
    ///   - order: which goes first.
    init(
        pool: NodePool, template: NodeTemplate, machines: [Machine], staying: [Machine], now: Date,
        order: (Machine, Machine) -> Bool
    ) {
        let spec = pool.withDefaults().spec ?? NodePoolSpec()
        let replicas = max(0, spec.replicas ?? 0)
        let surge = spec.upgrade?.maxSurge ?? 0
        let leastReady = max(0, replicas - (spec.upgrade?.maxUnavailable ?? 1))
        revision = template.revision

        let nodes = staying.sorted(by: order).map { RolloutNode($0, template: template) }
        let old = nodes.filter { $0.stage == .outdated }
        updated = nodes.filter { $0.stage == .updated }.count
        outdated = nodes.count - updated
        draining = machines.filter { $0.isLeaving(pool) && $0.nodeRevision(template) != template.revision }.count
        // While it stands still the only ones beyond replicas are those that came for it.
        most = replicas + (outdated > 0 ? min(surge, updated) : 0)
        wanted = max(0, replicas - nodes.count)

        let failures = RolloutFailures(pool: pool, revision: revision, isRolling: outdated > 0, now: now)
        lookAgain = failures.nextDeadline(machines)
        if let failure = failures.first(machines) {
            state = .failed(machine: failure.machine, why: failure.why)
            if outdated > 0 { wanted = 0 }
        } else if spec.upgrade?.paused == true, outdated > 0 {
            state = .paused
        } else {
            state = outdated > 0 || draining > 0 ? .rolling : .complete
        }
        // One that is being upgraded to what nobody wants any more is turned round, whatever else waits.
        upgrades = nodes.filter(\.isAstray).map(\.name)
        guard state == .rolling else { return }

        most = replicas + surge
        let inPlace = spec.upgrade?.type == "InPlace"
        wanted =
            inPlace
            ? max(0, replicas + min(surge, outdated) - nodes.count)
            : max(0, min(most - nodes.count, replicas - updated))
        let ready = nodes.filter(\.isReady).count
        coming = nodes.filter { $0.stage != .outdated && !$0.isReady }.count
        let room = max(0, nodes.count - leastReady - coming)
        let unwell = old.filter { !$0.isReady }.prefix(room)
        let well = old.filter(\.isReady).prefix(max(0, min(room - unwell.count, ready - leastReady)))
        for node in unwell + well {
            // One that never became a node has nothing to be kept, and may wait for ever for what its old template lacks.
            if inPlace && node.isNode { upgrades.append(node.name) } else { releases.append(node.name) }
        }
    }
}

/// One Machine of a pool as the rollout sees it.
private struct RolloutNode {
    enum Stage { case outdated, upgrading, updated }

    var name: String
    var stage: Stage
    var isReady: Bool
    /// Whether it was a node already.
    var isNode: Bool
    /// On its way to another template than the newest.
    var isAstray: Bool

    init(_ machine: Machine, template: NodeTemplate) {
        name = machine.name
        isReady = machine.isReadyNode
        isNode = [.ready, .upgrading].contains(machine.status?.phase)
        let revision = template.revision
        isAstray = machine.status?.phase == .upgrading && machine.status?.upgrade?.revision != revision
        if machine.status?.phase == .upgrading {
            stage = .upgrading
        } else {
            stage = machine.nodeRevision(template) == revision ? .updated : .outdated
        }
    }
}

extension Machine {
    /// The template its node was made from. Nodes that were there before templates had revisions are of the configuration as it stands,
    /// in their own version: to be upgraded for a reason of the spec's, and never for the operator's.
    func nodeRevision(_ template: NodeTemplate) -> String {
        if let known = status?.claim?.revision { return known }
        let version = status?.facts?.kubeletVersion.flatMap { KubernetesVersion($0) } ?? template.version
        return NodeTemplate(version: version, configuration: template.configuration).revision
    }
}

/// Which Machines of the newest template should have been Ready by now.
private struct RolloutFailures {
    let uid: String?
    let revision: String
    let isRolling: Bool
    let now: Date
    let timeout: TimeInterval
    /// What failed before that is forgiven.
    let resumedAt: Date

    init(pool: NodePool, revision: String, isRolling: Bool, now: Date) {
        uid = pool.metadata.uid
        self.revision = revision
        self.isRolling = isRolling
        self.now = now
        timeout = pool.withDefaults().spec?.upgrade?.readyTimeout.flatMap(GoDuration.init)?.seconds ?? 600
        resumedAt = pool.metadata.annotations?[NodePoolAnnotation.resumedAt].flatMap(Timestamp.parse) ?? .distantPast
    }

    func first(_ machines: [Machine]) -> (machine: String, why: String)? {
        for machine in machines.sorted(by: { $0.name < $1.name }) {
            if let why = failure(of: machine) { return (machine.name, why) }
        }
        return nil
    }

    func nextDeadline(_ machines: [Machine]) -> Date? { machines.compactMap(deadline).filter { $0 > now }.min() }

    private func failure(of machine: Machine) -> String? {
        guard let status = machine.status, let claim = status.claim, claim.nodePoolUID == uid, claim.released != true else { return nil }
        if let upgrade = status.upgrade, upgrade.revision == revision, let failure = upgrade.failure,
            let at = upgrade.failedAt.flatMap(Timestamp.parse), at > resumedAt
        {
            return failure
        }
        if claim.revision == revision, [.claimed, .joining].contains(status.phase),
            let installed = status.conditions?.named("Installed"), installed.reason == NodeConfigurationFailure.reason,
            let at = Timestamp.parse(installed.lastTransitionTime), at > resumedAt
        {
            return installed.message
        }
        // It is replaced by another Machine, but while a rollout goes on not before somebody has looked.
        if isRolling, claim.revision == revision, status.phase == .quarantined, status.facts?.kubeletVersion == nil,
            let at = status.plan?.steps.compactMap(\.finishedAt).compactMap(Timestamp.parse).max(), at > resumedAt
        {
            return status.message ?? "it is Quarantined"
        }
        guard let deadline = deadline(of: machine), now >= deadline else { return nil }
        let words = status.message.map { ": \($0)" } ?? ""
        return "its node is not Ready after \(GoDuration(seconds: timeout))\(words)"
    }

    /// When it has to be Ready.
    private func deadline(of machine: Machine) -> Date? {
        guard let status = machine.status, let claim = status.claim, claim.nodePoolUID == uid, claim.released != true else { return nil }
        let began: String? =
            switch status.phase {
            case .claimed, .joining: claim.revision == revision ? claim.claimedAt : nil
            case .upgrading: status.upgrade?.revision == revision ? status.upgrade?.drainedAt : nil
            default: nil
            }
        return began.flatMap(Timestamp.parse).map { max($0, resumedAt).addingTimeInterval(timeout) }
    }
}

/// What a Machine says when it is the pool's configuration that keeps it from being a node, and not itself: it is no reason to
/// quarantine it.
enum NodeConfigurationFailure {
    static let reason = "NodeConfigurationFailed"
}
