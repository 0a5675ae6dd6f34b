import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension MachineReconciler {
    /// Owns the labels that follow from facts, and no others.
    private static let factsManager = "nestbox-facts"

    /// Puts on the Machine what pools select by of its facts. Who else set one of these labels keeps it: server-side apply knows
    /// whose each is.
    func label(_ machine: Machine, by facts: MachineFacts) async throws {
        var wanted = facts.labels
        let labels = machine.metadata.labels ?? [:]
        guard FactLabel.allCases.contains(where: { labels[$0.rawValue] != wanted[$0.rawValue] }) else { return }
        // Each round takes one away at least.
        for _ in 0...wanted.count {
            do {
                // By its UID: one that was deleted meanwhile is not made anew.
                let object = Machine(metadata: ObjectMeta(name: machine.name, labels: wanted, uid: machine.metadata.uid))
                _ = try await client.apply(object, fieldManager: Self.factsManager, force: false)
                return
            } catch let error as KubernetesError where error.isConflict {
                let taken = Self.conflictingLabels(error)
                guard wanted.keys.contains(where: taken.contains) else { return }
                wanted = wanted.filter { !taken.contains($0.key) }
            }
        }
    }

    /// The labels that others hold, of a server's refusal.
    static func conflictingLabels(_ error: KubernetesError) -> Set<String> {
        let prefix = ".metadata.labels."
        let fields = (error.status?.details?.causes ?? []).compactMap { cause in
            cause.reason == "FieldManagerConflict" ? cause.field : nil
        }
        return Set(fields.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) })
    }
}
