/// A condition that Nestbox sets, and which of its statuses is the good one.
///
/// The lists are all there are: what is told of them in metrics and alerts is bounded by them, and each has its paragraph in
/// `docs/operations.md`. Tests hold the operator and that page to the lists.
public struct ConditionType: Sendable, Hashable {
    public var name: String
    /// The status that nobody has to act on; nil where each is as good as the other.
    public var healthy: String?

    private init(_ name: String, healthy: String?) {
        self.name = name
        self.healthy = healthy
    }

    static func good(_ name: String) -> Self { .init(name, healthy: "True") }
    static func bad(_ name: String) -> Self { .init(name, healthy: "False") }
    static func neutral(_ name: String) -> Self { .init(name, healthy: nil) }
}

extension HostedCluster {
    public static let conditionTypes: [ConditionType] = [
        .good("Available"), .bad("ControlPlaneLost"), .neutral("Progressing"), .good("ValidConfiguration"),
        .neutral("ReconciliationActive"), .good("ReconciliationSucceeded"), .good("Published"), .good("EtcdAvailable"),
        .good("KubeAPIServerAvailable"),
        .good("KubeconfigAvailable"), .good("TunnelConnected"), .good("EtcdHealthy"), .good("CertificatesValid"),
        .bad("AuthorityExpiring"), .good("UpgradeReady"), .good("AuditWebhookConfigured"), .neutral("Deleting"),
        .good("ClusterDNSAvailable"), .neutral("NetworkPolicyEnforced"),
    ]
}

extension NodePool {
    public static let conditionTypes: [ConditionType] = [
        .neutral("Ready"), .good("ClusterFound"), .good("ValidConfiguration"), .good("MachinesAvailable"), .good("Progressing"),
        .bad("RolloutPaused"), .bad("RepairSuspended"), .neutral("Deleting"),
    ]
}

extension Machine {
    public static let conditionTypes: [ConditionType] = [
        .good("Registered"), .good("Reachable"), .good("Claimable"), .good("ArtifactsAvailable"), .good("Installed"), .good("NodeReady"),
        .neutral("Repairing"), .neutral("Draining"), .neutral("Clean"), .good("Listed"),
    ]
}
