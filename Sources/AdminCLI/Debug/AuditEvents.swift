/// What kube-apiserver tells of its requests, where it does so among its other words: whole objects of the tenant's, with whatever they
/// hold. Pure.
enum AuditEvents {
    /// The log without them, and how many lines are left out.
    static func removed(from log: String) -> (text: String, count: Int) {
        guard log.contains(group) else { return (log, 0) }
        let lines = log.split(separator: "\n", omittingEmptySubsequences: false)
        // A log's tail may begin in the middle of one.
        let kept = lines.dropFirst().filter { !$0.contains(group) }
        return (kept.joined(separator: "\n"), lines.count - kept.count)
    }

    private static let group = "audit.k8s.io"
}
