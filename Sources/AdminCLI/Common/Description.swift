import KubernetesAPI
import KubernetesClient

/// The text of `describe`: the object, its conditions as a table, its events.
enum Description {
    static func text(of object: some KubernetesObject, status conditions: [Condition]?, events: [Event]) throws -> String {
        var text = try Rendering.yaml(object)
        if let conditions, !conditions.isEmpty {
            let rows = conditions.map { [$0.type, $0.status, $0.reason, Rendering.age($0.lastTransitionTime), $0.message] }
            text += "\nConditions:\n" + Rendering.table([["TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"]] + rows)
        }
        let rows = events.map { [Rendering.age($0.lastTimestamp), $0.type ?? "", $0.reason ?? "", $0.message ?? ""] }
        text += rows.isEmpty ? "\nEvents: none\n" : "\nEvents:\n" + Rendering.table([["AGE", "TYPE", "REASON", "MESSAGE"]] + rows)
        return text
    }
}

extension KubernetesClient {
    /// The events of an object, oldest first. A cluster-scoped object's are in namespace `default`.
    func events(of object: some KubernetesObject) async throws -> [Event] {
        let fields = "involvedObject.uid=\(object.metadata.uid ?? "")"
        let list = try await list(Event.self, namespace: object.namespace ?? "default", fields: fields)
        return list.items.sorted { ($0.lastTimestamp ?? "") < ($1.lastTimestamp ?? "") }
    }
}
