import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import NodeJoin

/// What is known of a cluster before it is upgraded: gathered by the operator, judged by `UpgradeChecks`.
struct UpgradeFacts: Equatable {
    struct Kubelet: Equatable {
        /// `node worker-1`, `node pool workers`.
        var whose: String
        /// As it reports itself.
        var version: String
    }

    struct Member: Equatable {
        var name: String
        var databaseSize: Int
        /// What it complains of, as `NOSPACE`.
        var alarms: [String]
    }

    struct Certificate: Equatable {
        var name: String
        var notBefore: Date
        var notAfter: Date
    }

    /// What could not be learned, and why.
    enum Learned<Value: Equatable & Sendable>: Equatable {
        case known(Value)
        case unknown(String)
    }

    var path: UpgradePath
    var kubelets: [Kubelet] = []
    var deprecated: Learned<[DeprecatedAPI]> = .known([])
    var etcd: Learned<[Member]> = .known([])
    /// What each member's database may grow to.
    var etcdQuota = 0
    /// The image that etcd has to become first; nil when it stays.
    var nextEtcd: String?
    var etcdMembers = 1
    /// The version of one that somebody else runs; nil for one of Nestbox's own.
    var externalEtcd: String?
    var certificates: [Certificate] = []
    /// How many of the host's nodes that were looked at have the API server's image; nil when that is not known.
    var nodesWithImage: Int?
    var now = Date()
}

/// Whether a cluster may be upgraded. Pure.
enum UpgradeChecks {
    /// Names in a message.
    private static let shown = 5

    /// All of them, in the order in which a person looks.
    static func run(_ target: PinnedVersion, _ facts: UpgradeFacts) -> [UpgradeCheck] {
        withoutLooking(target, facts.path) ?? [
            version(target, facts.path), nodes(target.version, facts), deprecated(target.version, facts), etcd(target.version, facts),
            certificates(facts), images(target.version, facts),
        ]
    }

    /// What says all, whatever the cluster is like: where there is no way nothing else matters, and on the way back there is nothing that
    /// could be refused. Nil where the cluster has to be looked at.
    static func withoutLooking(_ target: PinnedVersion, _ path: UpgradePath) -> [UpgradeCheck]? {
        let version = version(target, path)
        return version.result == .failed || target == path.accepted || path.isWayBack(to: target) ? [version] : nil
    }

    private static func version(_ target: PinnedVersion, _ path: UpgradePath) -> UpgradeCheck {
        let accepted = path.accepted
        if let refusal = path.refusal(of: target) { return UpgradeCheck("Version", .failed, refusal.message) }
        if target == accepted { return UpgradeCheck("Version", .passed, "it is \(target) already, or becomes it now") }
        if path.isWayBack(to: target) {
            return UpgradeCheck("Version", .passed, "back to \(target): nothing of \(accepted) has served yet")
        }
        return UpgradeCheck("Version", .passed, "from \((path.serving ?? accepted)) to \(target)")
    }

    private static func nodes(_ version: KubernetesVersion, _ facts: UpgradeFacts) -> UpgradeCheck {
        var refused: [String] = []
        var reason = ""
        for kubelet in facts.kubelets {
            guard let running = KubernetesVersion(kubelet.version) else {
                refused.append("\(kubelet.whose) (\(MachineWords.cleaned(kubelet.version, limit: 32)), which is no version)")
                continue
            }
            guard let refusal = version.refusal(ofKubelet: running) else { continue }
            if reason.isEmpty { reason = refusal }
            refused.append("\(kubelet.whose) (\(running))")
        }
        guard !refused.isEmpty else {
            return UpgradeCheck(
                "Nodes", .passed, facts.kubelets.isEmpty ? "there are none" : "all kubelets may stay as they are beside \(version)")
        }
        return UpgradeCheck(
            "Nodes", .failed,
            "first upgrade \(refused.inWords(most: shown))" + (reason.isEmpty ? "" : ": \(reason)"))
    }

    private static func deprecated(_ version: KubernetesVersion, _ facts: UpgradeFacts) -> UpgradeCheck {
        let name = "DeprecatedAPIs"
        switch facts.deprecated {
        case .unknown(let why): return UpgradeCheck(name, .warning, "which deprecated APIs are in use could not be learned: \(why)")
        case .known(let all):
            func names(_ some: [DeprecatedAPI]) -> String {
                some.map { "\($0.name) (gone in \($0.removedIn))" }.inWords(most: shown)
            }
            let gone = all.filter { $0.isGone(in: version) }
            let used = gone.filter(\.isUsed)
            if !used.isEmpty {
                return UpgradeCheck(name, .failed, "clients of the tenant still use what \(version) does not have: \(names(used))")
            }
            if !gone.isEmpty {
                return UpgradeCheck(
                    name, .warning,
                    "what \(version) does not have was listed or watched, maybe by Kubernetes' own controllers only: \(names(gone))")
            }
            let inUse = all.filter(\.isUsed)
            guard inUse.isEmpty else { return UpgradeCheck(name, .warning, "in use, and gone in a later version: \(names(inUse))") }
            return UpgradeCheck(name, .passed, "nothing that \(version) does not have was asked for since the API server started")
        }
    }

    private static func etcd(_ version: KubernetesVersion, _ facts: UpgradeFacts) -> UpgradeCheck {
        let name = "Etcd"
        switch facts.etcd {
        case .unknown(let why): return UpgradeCheck(name, .failed, "etcd is not healthy: \(why)")
        case .known(let members):
            for member in members {
                if !member.alarms.isEmpty {
                    return UpgradeCheck(name, .failed, "\(member.name) raises \(member.alarms.sorted().joined(separator: ", "))")
                }
                if facts.etcdQuota > 0, member.databaseSize > facts.etcdQuota / 10 * 9 {
                    return UpgradeCheck(
                        name, .failed,
                        "the database of \(member.name) takes \(mebibytes(member.databaseSize)) of \(mebibytes(facts.etcdQuota)): make room first"
                    )
                }
            }
            if let external = facts.externalEtcd { return externalEtcd(external, version, endpoints: members.count) }
            guard let next = facts.nextEtcd else {
                return UpgradeCheck(name, .passed, "\(members.count) of \(members.count) members are healthy")
            }
            guard facts.etcdMembers == 1 else {
                return UpgradeCheck(name, .passed, "etcd becomes \(next) first, one member after the other, after a snapshot")
            }
            return UpgradeCheck(
                name, .warning,
                "etcd becomes \(next) first, after a snapshot; its one member restarts, and the API does not answer meanwhile")
        }
    }

    private static func externalEtcd(_ running: String, _ version: KubernetesVersion, endpoints: Int) -> UpgradeCheck {
        let name = "Etcd"
        let backup = "it stays as it is, and Nestbox takes no snapshot of it"
        if let old = ProgramVersion(running), let wanted = ProgramVersion(version.etcdImageTag), old < wanted {
            return UpgradeCheck(
                name, .warning,
                "the external etcd is \(old), and \(version) is released with \(wanted): have those who run it look to that; \(backup)")
        }
        return UpgradeCheck(name, .passed, "the external etcd answers at \(endpoints) of \(endpoints) endpoints; \(backup)")
    }

    private static func certificates(_ facts: UpgradeFacts) -> UpgradeCheck {
        let ending = facts.certificates.filter { certificate in
            // A day, or for those that live shorter a tenth of their life.
            let margin = min(86_400, certificate.notAfter.timeIntervalSince(certificate.notBefore) / 10)
            return certificate.notAfter.timeIntervalSince(facts.now) < margin
        }
        guard let first = ending.min(by: { $0.notAfter < $1.notAfter }) else {
            return UpgradeCheck("Certificates", .passed, "none is about to end")
        }
        return UpgradeCheck("Certificates", .failed, "\(first.name) ends at \(Timestamp.format(first.notAfter)): renew it first")
    }

    private static func images(_ version: KubernetesVersion, _ facts: UpgradeFacts) -> UpgradeCheck {
        let pulled = "where an image is not, it is pulled; should that fail, what serves now goes on"
        guard let nodes = facts.nodesWithImage else { return UpgradeCheck("Images", .passed, pulled) }
        return UpgradeCheck("Images", .passed, "kube-apiserver:\(version) is on \(nodes) of the host's nodes that were asked; \(pulled)")
    }

    private static func mebibytes(_ bytes: Int) -> String { "\(bytes / 1_048_576) MiB" }
}
