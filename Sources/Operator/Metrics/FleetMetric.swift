/// What `/metrics` of the control-planes operator tells of tenants, pools and machines.
///
/// Labels are bounded: a tenant is a namespace and a name, a pool a name more, everything else comes from a fixed list. Machines are
/// counted and never named, for theirs is the one list that grows with the hardware and whose names come and go; what a tenant's nodes
/// say of themselves, such as a kubelet's version, is no label either.
enum FleetMetric: String, CaseIterable {
    case clusterInfo = "nestbox_hostedcluster_info"
    case clusterCreated = "nestbox_hostedcluster_created_timestamp_seconds"
    case clusterDeleted = "nestbox_hostedcluster_deletion_timestamp_seconds"
    case clusterCondition = "nestbox_hostedcluster_condition"
    case clusterNodes = "nestbox_hostedcluster_nodes"
    case controlPlaneReplicas = "nestbox_hostedcluster_control_plane_replicas"
    case etcdMembers = "nestbox_hostedcluster_etcd_members"
    case etcdSize = "nestbox_hostedcluster_etcd_db_size_bytes"
    case etcdInUse = "nestbox_hostedcluster_etcd_db_in_use_bytes"
    case etcdQuota = "nestbox_hostedcluster_etcd_quota_bytes"
    case certificateExpiry = "nestbox_hostedcluster_certificate_expiration_timestamp_seconds"
    case certificateRenewal = "nestbox_hostedcluster_certificate_renewal_timestamp_seconds"
    case upgradeStarted = "nestbox_hostedcluster_upgrade_start_timestamp_seconds"
    case poolReplicas = "nestbox_nodepool_replicas"
    case poolCondition = "nestbox_nodepool_condition"
    case poolDeleted = "nestbox_nodepool_deletion_timestamp_seconds"
    case machines = "nestbox_machines"
    case machineConditions = "nestbox_machine_conditions"

    private static let cluster: Set = ["namespace", "cluster"]
    private static let pool: Set = ["namespace", "cluster", "nodepool"]

    var labels: Set<String> {
        switch self {
        case .clusterInfo: Self.cluster.union(["version", "wanted", "release"])
        case .clusterCreated, .clusterDeleted: Self.cluster
        case .clusterCondition: Self.cluster.union(["type", "status"])
        case .clusterNodes, .controlPlaneReplicas, .etcdMembers: Self.cluster.union(["state"])
        case .etcdSize, .etcdInUse, .etcdQuota: Self.cluster.union(["member"])
        case .certificateExpiry, .certificateRenewal: Self.cluster.union(["certificate"])
        case .upgradeStarted: Self.cluster.union(["to"])
        case .poolReplicas: Self.pool.union(["state"])
        case .poolCondition: Self.pool.union(["type", "status"])
        case .poolDeleted: Self.pool
        case .machines: ["phase"]
        case .machineConditions: ["type", "status"]
        }
    }

    var help: String {
        switch self {
        case .clusterInfo: "A HostedCluster: 1, with the version that serves, the one asked for, and the release it is pinned to."
        case .clusterCreated: "When it was created, as a Unix time."
        case .clusterDeleted: "When its deletion was asked for, as a Unix time; none unless it was."
        case .clusterCondition: "Its conditions: 1, with the status that each has now."
        case .clusterNodes: "Machines that it holds: ready, or not."
        case .controlPlaneReplicas: "Replicas of its control plane: wanted, ready, and of the newest template."
        case .etcdMembers: "Members of its etcd: wanted, and ready."
        case .etcdSize: "What the file of a member's database takes."
        case .etcdInUse: "What of that holds data; the rest is given back by defragmentation."
        case .etcdQuota: "At how much a member takes no more writes."
        case .certificateExpiry: "When a certificate of its control plane ends, as a Unix time."
        case .certificateRenewal: "When that certificate is due to be renewed, as a Unix time."
        case .upgradeStarted: "When the upgrade under way began, as a Unix time; none while there is none."
        case .poolReplicas: "Nodes of a NodePool: wanted, current, ready, updated, and terminating, which count among no others."
        case .poolCondition: "Conditions of a NodePool: 1, with the status that each has now."
        case .poolDeleted: "When the deletion of a NodePool was asked for, as a Unix time; none unless it was."
        case .machines: "Machines by phase."
        case .machineConditions: "Machines by what their conditions say."
        }
    }
}
