import KubernetesAPI
import NestboxAPI

/// Which spec a pass works from: the one that is asked for, or, while that is refused, the one that was accepted last. What a
/// cluster needs every day, as new certificates, does not wait for somebody to correct a field. Another version or release than the one
/// accepted waits for the checks of an upgrade, and nothing else of the spec waits for it. Pure.
struct SpecChoice: Equatable {
    /// The cluster with the spec to work from; nil while there is none: what is asked for is refused, and nothing was accepted before.
    var cluster: HostedCluster?
    /// What is wrong with the spec that is asked for; nil when it is the one chosen.
    var refusal: Refusal?
    /// What the cluster is to become once it is found fit for it.
    var upgrade: PinnedVersion?

    struct Refusal: Equatable {
        var reason: String
        var message: String
    }
}

extension SpecChoice {
    /// - Parameters:
    ///   - asked: the cluster as it is, with defaults.
    ///   - accepted: the spec that was accepted last.
    init(asked: HostedCluster, accepted: HostedClusterSpec?) {
        let release = Self.release(asked, accepted: accepted)
        var asked = asked
        asked.spec?.release = release
        var before = asked
        before.spec = accepted
        if accepted != nil { before.spec?.release = accepted?.pinned?.release }
        let invalid = asked.validate()
        let forbidden = invalid.isEmpty && accepted != nil ? asked.validateUpdate(from: before) : []
        let problems = invalid + forbidden
        guard !problems.isEmpty else {
            self.init(fit: asked, accepted: accepted?.pinned ?? asked.status?.latestVersion?.pinned)
            return
        }
        let goesOn = accepted == nil ? [] : ["the control plane goes on with the spec it had"]
        self.init(
            cluster: accepted == nil ? nil : before,
            refusal: Refusal(
                reason: invalid.isEmpty ? "Immutable" : "Invalid",
                message: (problems.map(\.description) + goesOn).joined(separator: "; ")))
    }

    private init(fit asked: HostedCluster, accepted: PinnedVersion?) {
        guard let accepted, let target = asked.spec?.pinned, target != accepted else {
            self.init(cluster: asked)
            return
        }
        let path = UpgradePath(accepted: accepted, status: asked.status)
        // Back to what serves, or on from what never did: there is nothing to be careful of.
        guard path.serving != nil, !path.isWayBack(to: target) else {
            self.init(cluster: asked)
            return
        }
        var held = asked
        held.spec?.version = accepted.version
        held.spec?.release = accepted.release
        self.init(cluster: held, upgrade: target)
    }

    /// A spec that names no release means the one it was accepted with. Those that were accepted before there was more than one have
    /// the first. Where what was accepted is gone, as after a restore, the status knows.
    private static func release(_ asked: HostedCluster, accepted: HostedClusterSpec?) -> String {
        if let named = asked.spec?.release { return named }
        if let accepted { return accepted.release ?? TemplateRevision.first.release }
        if let built = asked.status?.latestVersion?.pinned.release ?? asked.status?.release { return built }
        return asked.status?.isBootstrapped == true ? TemplateRevision.first.release : Defaults.release
    }
}
