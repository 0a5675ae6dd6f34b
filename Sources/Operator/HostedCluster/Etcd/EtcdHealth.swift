import ControlPlane

/// Whether a person has to do something about an etcd, or soon will: the condition `EtcdHealthy`. Pure.
struct EtcdHealth: Equatable {
    static let condition = "EtcdHealthy"

    var isTrue: Bool
    var reason: String
    var message = ""
}

extension EtcdHealth {
    /// - Parameter namespace: of the control plane.
    init(_ sight: EtcdSight, _ space: EtcdSpace, namespace: String) {
        let voters = sight.voters
        let silent = voters.filter { !sight.isWell($0) }.compactMap(\.ordinal)
        if space.isFull {
            self.init(
                isTrue: false, reason: "NoSpace",
                message:
                    "etcd's database has reached its quota of \(Self.size(space.quota)) and takes no writes: delete objects that are not "
                    + "needed, which still works, and room is made within minutes (kubectl get --raw /metrics | grep "
                    + "-E 'apiserver_storage_objects|etcd_object_counts' tells what there is most of)")
        } else if let damaged = voters.first(where: { sight.damage(of: $0) != nil }), let ordinal = damaged.ordinal {
            self.init(
                isTrue: false, reason: "MemberDamaged",
                message: "\(NestboxName.etcdMember(ordinal)): \(sight.damage(of: damaged) ?? ""); it is replaced while the others serve")
        } else if space.alarms.contains(where: { $0.kind == .corrupt && !$0.namesMember }) {
            self.init(
                isTrue: false, reason: "DataDiffers",
                message:
                    "etcd found that its members' data differ (alarm CORRUPT), and does not say whose: find the odd one out (etcdctl endpoint "
                    + "hashkv), delete its claim and its pod in \(namespace), and it is replaced; then take the alarm back (etcdctl alarm disarm)"
            )
        } else if !silent.isEmpty {
            let names = silent.map(NestboxName.etcdMember).joined(separator: " and ")
            self.init(
                isTrue: false, reason: "MemberDown",
                message: "\(names) of \(voters.count) members \(silent.count == 1 ? "does" : "do") not answer: "
                    + "kubectl -n \(namespace) describe pod \(NestboxName.etcdMember(silent[0]))")
        } else if let member = voters.first(where: { $0.ordinal.map { sight.volumes[$0] == .going } ?? false }) {
            self.init(
                isTrue: false, reason: "VolumeTerminating",
                message: "the claim of \(member.name)'s volume is being deleted, and goes with its data when its pod ends: "
                    + (voters.count > 1
                        ? "delete the pod, and it is replaced while the others serve"
                        : "there is no other copy, so have two more first (spec.controlPlane.replicas: 3)"))
        } else if space.isLow {
            self.init(
                isTrue: false, reason: "SpaceLow",
                message:
                    "more than four fifths of etcd's quota of \(Self.size(space.quota)) are in use: delete objects that are not needed; "
                    + "when it is full it takes no writes")
        } else {
            self.init(isTrue: true, reason: "Healthy")
        }
    }

    private static func size(_ bytes: Int64) -> String {
        bytes >= 1 << 30 ? "\((Double(bytes) / Double(1 << 30) * 10).rounded() / 10) GiB" : "\(bytes >> 20) MiB"
    }
}
