import ControlPlane

/// A member as etcd's own list has it.
struct EtcdMember: Equatable, Sendable {
    var id: String
    /// Empty for one that was added and has not started yet.
    var name: String
    var peerURL: String
    /// Whether it has ever run and said where clients reach it.
    var hasStarted: Bool
    var isLearner: Bool
}

extension EtcdMember {
    /// Which pod of the StatefulSet it is; nil for a member that Nestbox did not add.
    var ordinal: Int? {
        let host = peerURL.split(separator: "/").last?.split(separator: ":").first ?? ""
        guard host.hasPrefix("etcd-") else { return nil }
        return Int(host.dropFirst("etcd-".count))
    }

    /// Where the member of that pod is to be reached by the others.
    static func peerURL(_ ordinal: Int) -> String { "https://\(NestboxName.etcdMember(ordinal)):\(NestboxPort.etcdPeers)" }
}

/// What one member says of itself.
struct EtcdStatus: Equatable, Sendable {
    /// The leader's id while there is none.
    static let nobody = "0"

    /// Of the data: another id is another cluster's.
    var clusterID: String
    var memberID: String
    var leaderID: String
    var version: String
    /// Of the data, as it counts changes.
    var revision: Int64
    /// Bytes of the database's file, and those of them that hold data.
    var size: Int64
    var sizeInUse: Int64
    /// Alarms and other troubles, in etcd's words (seen from 3.4.23 on).
    var errors: [String]

    var isLeader: Bool { hasLeader && memberID == leaderID }
    var hasLeader: Bool { leaderID != Self.nobody }
}

/// An alarm that a member has raised (etcd docs, "Maintenance").
struct EtcdAlarm: Equatable, Sendable {
    enum Kind: String, Sendable {
        /// Its quota is full: no member takes a write.
        case noSpace = "NOSPACE"
        /// Its data differs from the others': no member answers a request.
        case corrupt = "CORRUPT"
        case other = "NONE"
    }

    /// Empty where none is named: of data that differ an etcd before 3.6 mostly does not say whose are wrong.
    var memberID: String
    var kind: Kind

    var namesMember: Bool { !memberID.isEmpty && memberID != "0" }
}
