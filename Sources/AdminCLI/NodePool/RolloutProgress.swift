import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// How a pool's rollout goes, in kubectl's words.
enum RolloutProgress: Equatable {
    case waiting(String)
    /// A person has to say how to go on.
    case stopped(String)
    case done

    init(_ pool: NodePool) {
        let status = pool.status ?? NodePoolStatus()
        let replicas = pool.spec?.replicas ?? 0
        let (updated, ready) = (status.updatedReplicas ?? 0, status.readyReplicas ?? 0)
        let progressing = status.conditions?.named("Progressing")
        if status.observedGeneration != pool.metadata.generation {
            self = .waiting("its new spec is not looked at yet")
        } else if let invalid = status.conditions?.named("ValidConfiguration"), invalid.status == "False" {
            self = .stopped("its spec is refused: \(invalid.message)")
        } else if let progressing, ["MachineFailed", "Paused"].contains(progressing.reason) {
            self = .stopped(progressing.message)
        } else if let progressing, progressing.reason == "NoSpareMachine" {
            self = .waiting(progressing.message)
        } else if updated < replicas {
            self = .waiting("\(updated) out of \(replicas) nodes have been updated")
        } else if (status.replicas ?? 0) > updated {
            self = .waiting("\((status.replicas ?? 0) - updated) old nodes are to go")
        } else if ready < replicas {
            self = .waiting("\(ready) of \(replicas) updated nodes are ready")
        } else if let progressing, progressing.reason == "RollingOut" {
            self = .waiting(progressing.message)
        } else {
            self = .done
        }
    }
}

extension NodePool {
    /// The template to go back to.
    /// - Parameter number: of the history; the one before the newest unless given.
    func earlierRevision(_ number: Int?) throws -> NodePoolRevision {
        let history = status?.history ?? []
        guard let number else {
            guard let previous = history.last(where: { $0.revision != status?.revision }) else {
                throw CommandFailure("node pool \(name) has had no other template that could be gone back to")
            }
            return previous
        }
        guard let found = history.first(where: { $0.number == number }) else {
            let known = history.map { String($0.number) }.joined(separator: ", ")
            throw CommandFailure("node pool \(name) has no revision \(number) in its history, but \(known.isEmpty ? "none" : known)")
        }
        return found
    }

    /// The merge patch of its spec that brings that template back; nil when it has it. A version that the spec leaves to the cluster is
    /// left to it, unless it was another one then.
    func patch(backTo earlier: NodePoolRevision) throws -> JSONValue? {
        var spec: [String: JSONValue] = [:]
        let current = status?.history?.last { $0.revision == status?.revision }
        if (self.spec?.version ?? current?.version) != earlier.version { spec["version"] = .string(earlier.version.description) }
        let present = try self.spec?.nodeConfiguration.map { try JSONValue(encoding: $0) } ?? .null
        let wanted = earlier.nodeConfiguration.map { JSONValue.object($0) } ?? .null
        if let change = present.mergePatch(to: wanted) { spec["nodeConfiguration"] = change }
        return spec.isEmpty ? nil : ["spec": .object(spec)]
    }

    /// Whether somebody paused it, or a machine's failure did.
    var isRolloutPaused: Bool { spec?.upgrade?.paused == true || conditions?.named("RolloutPaused")?.status == "True" }
}
