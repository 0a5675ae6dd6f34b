import KubernetesAPI
import NestboxAPI

/// Which spec a pass works from: the one that is asked for, or, while that is refused, the one that was accepted last. What a
/// cluster needs every day, as new certificates, does not wait for somebody to correct a field. Pure.
struct SpecChoice: Equatable {
    /// The cluster with the spec to work from; nil while there is none: what is asked for is refused, and nothing was accepted before.
    var cluster: HostedCluster?
    /// What is wrong with the spec that is asked for; nil when it is the one chosen.
    var refusal: Refusal?

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
        var before = asked
        before.spec = accepted
        let invalid = asked.validate()
        let forbidden = invalid.isEmpty && accepted != nil ? asked.validateUpdate(from: before) : []
        let problems = invalid + forbidden
        guard !problems.isEmpty else {
            self.init(cluster: asked)
            return
        }
        let goesOn = accepted == nil ? [] : ["the control plane goes on with the spec it had"]
        self.init(
            cluster: accepted == nil ? nil : before,
            refusal: Refusal(
                reason: invalid.isEmpty ? "Immutable" : "Invalid",
                message: (problems.map(\.description) + goesOn).joined(separator: "; ")))
    }
}
