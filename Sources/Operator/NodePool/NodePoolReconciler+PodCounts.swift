import KubernetesAPI
import KubernetesClient

extension NodePoolReconciler {
    /// How long a tenant's API may take to tell: one that hangs must not hold up the other pools.
    private static let patience = Duration.seconds(5)

    /// The pods that drains would move, by node; nil when the tenant's API does not tell, which is no reason not to shrink.
    ///
    /// One list of all pods, and only when a choice depends on it: an API server reads them all to answer for one node.
    func podCounts(clusterUID: String) async -> [String: Int]? {
        guard let session = sessions.session(clusterUID) else { return nil }
        return await withTaskGroup(of: [String: Int]?.self) { group in
            group.addTask {
                guard let pods = try? await session.client.listTolerantly(Pod.self, fields: Self.unfinished).items else { return nil }
                let moving = DrainDecision(pods: pods).evict
                return Dictionary(grouping: moving, by: { $0.spec?.nodeName ?? "" }).mapValues(\.count)
            }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    private static let unfinished = "spec.nodeName!=,status.phase!=Succeeded,status.phase!=Failed"
}
