import ControlPlane
import Foundation
import KubernetesAPI

/// What was seen of an external etcd that can be used.
struct ExternalEtcdSight: Equatable {
    /// Of the data, in etcd's own count.
    var clusterID: String
    /// An endpoint that answered, through which it is asked.
    var endpoint: String
    /// Of that endpoint's member.
    var version: String
    /// Of its endpoints, those that answer and follow a leader.
    var serving: [String]
    /// Why each other one cannot be used.
    var troubles: [ExternalEtcdTrouble]
    /// Whether its quota is full.
    var isFull: Bool
    /// How many keys there are below the cluster's prefix.
    var keys: Int
}

extension ExternalEtcdSight {
    /// - Throws: `ExternalEtcdTrouble` when it cannot be used.
    static func look(
        through etcd: ExternalEtcdClient, prefix: String, trouble: @Sendable (ExternalEtcdError) -> ExternalEtcdTrouble
    ) async throws(ExternalEtcdTrouble) -> ExternalEtcdSight {
        let answers = await answers(etcd)
        var serving: [(endpoint: String, status: EtcdStatus)] = []
        var troubles: [ExternalEtcdTrouble] = []
        for (endpoint, answer) in zip(etcd.endpoints, answers) {
            switch answer {
            case .success(let status) where status.hasLeader: serving.append((endpoint, status))
            case .success: troubles.append(trouble(ExternalEtcdError(endpoint, "its status", .noLeader)))
            case .failure(let error): troubles.append(trouble(error))
            }
        }
        guard let first = serving.first else {
            throw troubles.first ?? ExternalEtcdTrouble(reason: "NotAnswering", message: "the external etcd has no endpoints")
        }
        if let other = serving.first(where: { $0.status.clusterID != first.status.clusterID }) {
            throw ExternalEtcdTrouble(
                reason: "DifferentEtcds",
                message:
                    "\(first.endpoint) and \(other.endpoint), asked for their status, are members of different etcds "
                    + "(\(first.status.clusterID) and \(other.status.clusterID)): name in spec.etcd.external.endpoints the members of one only"
            )
        }
        let keys: Int
        do throws(ExternalEtcdError) {
            keys = try await etcd.count(below: prefix, at: first.endpoint)
        } catch {
            throw trouble(error)
        }
        return ExternalEtcdSight(
            clusterID: first.status.clusterID, endpoint: first.endpoint, version: first.status.version, serving: serving.map(\.endpoint),
            troubles: troubles, isFull: serving.contains { $0.status.errors.contains { $0.contains(EtcdAlarm.Kind.noSpace.rawValue) } },
            keys: keys)
    }

    /// In the order of the endpoints.
    private static func answers(_ etcd: ExternalEtcdClient) async -> [Result<EtcdStatus, ExternalEtcdError>] {
        await withTaskGroup(of: (Int, Result<EtcdStatus, ExternalEtcdError>).self) { group in
            for (index, endpoint) in etcd.endpoints.enumerated() {
                group.addTask {
                    do throws(ExternalEtcdError) {
                        return (index, .success(try await etcd.status(at: endpoint)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var answers: [(index: Int, answer: Result<EtcdStatus, ExternalEtcdError>)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.index < $1.index }.map(\.answer)
        }
    }
}

/// Whether somebody has to do something about an external etcd that serves. Pure.
extension EtcdHealth {
    /// - Parameters:
    ///   - kept: why what the Secret holds now is not used, and what it held before is.
    ///   - secret: as `namespace/name`.
    init(_ sight: ExternalEtcdSight, kept: ExternalEtcdTrouble?, certificate: CertificateFacts?, secret: String, now: Date) {
        let count = sight.serving.count + sight.troubles.count
        if sight.isFull {
            self.init(
                isTrue: false, reason: "NoSpace",
                message:
                    "the external etcd has reached its quota and takes no writes: those who run it have to make room (etcdctl compact, "
                    + "defrag, alarm disarm)")
        } else if let kept {
            self.init(
                isTrue: false, reason: kept.reason,
                message: "\(kept.message); till then the control plane goes on with the keys that it had")
        } else if let end = certificate?.notAfter, let start = certificate?.notBefore, now >= Self.lastDays(start, end) {
            self.init(
                isTrue: false, reason: "CertificateEnds",
                message:
                    "the client certificate for the external etcd ends at \(Timestamp.format(end)), and Nestbox cannot renew it: put a new "
                    + "tls.crt and tls.key into the Secret \(secret)")
        } else if let trouble = sight.troubles.first {
            self.init(
                isTrue: false, reason: "MemberDown",
                message: "\(sight.troubles.count) of \(count) endpoints cannot be used, the others serve: \(trouble.message)")
        } else {
            self.init(isTrue: true, reason: "Healthy")
        }
    }

    /// From when somebody has to see to a new certificate: two weeks before the end, or a tenth of its life before where that is less. Who
    /// renews it by a machine has done so long before.
    private static func lastDays(_ start: Date, _ end: Date) -> Date {
        end.addingTimeInterval(-min(14 * 86400, end.timeIntervalSince(start) / 10))
    }
}
