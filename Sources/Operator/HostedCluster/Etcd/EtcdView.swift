import KubernetesAPI

/// One cluster's etcd as its leader sees it.
struct EtcdView: Equatable, Sendable {
    /// Of the data, in etcd's own count.
    var clusterID: String
    /// Ordinal of the member that leads: what it says of the members is the newest.
    var leader: Int
    var sight: EtcdSight
    var alarms: [EtcdAlarm]
}

extension EtcdView {
    /// Nil while no leader answers: then nothing is known for sure, and nothing is changed.
    static func look(through etcd: EtcdClient, host: EtcdHost, replicas: Int) async -> EtcdView? {
        let running = host.pods.filter { $0.value == .running }.keys.sorted()
        let statuses = await etcd.statuses(of: running)
        guard let leader = statuses.first(where: { $0.value.isLeader }) else { return nil }
        guard let members = try? await etcd.members(through: leader.key), let alarms = try? await etcd.alarms(through: leader.key) else {
            return nil
        }
        let corrupt = alarms.filter { $0.kind == .corrupt }.map(\.memberID)
        let sight = EtcdSight(
            members: members.sorted { ($0.ordinal ?? .max) < ($1.ordinal ?? .max) }, statuses: statuses, corrupt: Set(corrupt),
            replicas: host.statefulSet?.spec?.replicas ?? replicas, volumes: host.volumes, pods: host.pods)
        return EtcdView(clusterID: leader.value.clusterID, leader: leader.key, sight: sight, alarms: alarms)
    }
}
