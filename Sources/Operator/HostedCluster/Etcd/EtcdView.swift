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
    ///
    /// - Parameter known: the id of this cluster's data, once it has any: what answers with another one is listened to only where nobody
    ///   else answers.
    static func look(through etcd: EtcdClient, host: EtcdHost, replicas: Int, known: String?) async -> EtcdView? {
        let running = host.pods.filter { $0.value == .running }.keys.sorted()
        let all = await etcd.statuses(of: running)
        let own = all.filter { $0.value.clusterID == known }
        let statuses = own.isEmpty ? all : own
        guard let leader = statuses.first(where: { $0.value.isLeader }) else { return nil }
        guard let members = try? await etcd.members(through: leader.key), let alarms = try? await etcd.alarms(through: leader.key) else {
            return nil
        }
        // A list without the one that gave it is none.
        guard members.contains(where: { $0.id == leader.value.memberID }) else { return nil }
        let corrupt = alarms.filter { $0.kind == .corrupt && $0.namesMember }.map(\.memberID)
        let sight = EtcdSight(
            members: members.sorted { ($0.ordinal ?? .max) < ($1.ordinal ?? .max) }, statuses: statuses, corrupt: Set(corrupt),
            replicas: host.statefulSet?.spec?.replicas ?? replicas, volumes: host.volumes, pods: host.pods, outdated: host.outdated,
            ready: host.ready)
        return EtcdView(clusterID: leader.value.clusterID, leader: leader.key, sight: sight, alarms: alarms)
    }
}
