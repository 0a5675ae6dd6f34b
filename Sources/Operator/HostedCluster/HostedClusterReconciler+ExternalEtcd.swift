import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// Asks the etcd that the cluster brings whether it serves and holds this cluster's data, and leaves in `input` how API servers reach
    /// it. Nil while it cannot be used, or when the data is lost.
    ///
    /// Nothing of it is cared for: its members, its space, its version and its backups are for those who run it.
    func runExternalEtcd(
        _ external: ExternalEtcdSpec, _ input: inout ControlPlaneInput, _ sight: inout ControlPlaneSight, _ report: inout ClusterReport
    ) async throws -> EtcdFindings? {
        let settings = input.settings
        let found: FoundExternalEtcd
        do {
            found = try await find(external, settings)
        } catch let trouble as ExternalEtcdTrouble {
            report.set("EtcdAvailable", false, reason: trouble.reason, message: trouble.message)
            report.notAvailable(trouble.message)
            return nil
        }
        let etcd = found.sight
        let prefix = settings.externalEtcdPrefix
        if report.status.isBootstrapped, etcd.keys == 0 {
            report.lost("the external etcd at \(etcd.endpoint) holds nothing below \(prefix)/ any more")
            return nil
        }
        // Keys below that prefix are this cluster's and nobody else's, in whatever etcd they are.
        if let known = report.status.etcdClusterID, known != etcd.clusterID {
            await events.record(
                .warning, reason: "EtcdReplaced",
                message:
                    "the external etcd at \(etcd.endpoint) is another than before (its id is \(etcd.clusterID), it was \(known)) and "
                    + "holds this cluster's keys, as after a restore: the API servers start anew on it",
                on: HostedCluster(metadata: ObjectMeta(name: settings.name, namespace: settings.namespace, uid: settings.uid)))
        }
        input.externalEtcd = ExternalEtcdInput(keys: found.keys, clusterID: etcd.clusterID)
        try await notePrefix(prefix, settings, &report)
        sight.take(try await applied.apply(ControlPlane.etcd(input), scope: settings.uid, with: client))
        report.set("EtcdAvailable", true, reason: "External")
        let health = EtcdHealth(
            etcd, kept: found.refused, certificate: try? CertificateFacts(certificatePEM: found.keys.client.certificatePEM),
            secret: external.secret(in: settings.namespace), now: Date())
        report.set(EtcdHealth.condition, health.isTrue, reason: health.reason, message: health.message)
        return EtcdFindings(
            clusterID: etcd.clusterID, apiServers: sight.apiServers, step: nil,
            nextLook: health.isTrue ? EtcdFindings.rarely : .seconds(60))
    }

    /// Before the first key can be written: what is not noted is not removed.
    private func notePrefix(_ prefix: String, _ settings: ClusterSettings, _ report: inout ClusterReport) async throws {
        guard report.status.etcdPrefix != prefix else { return }
        report.update { $0.etcdPrefix = prefix }
        _ = try await client.patch(
            HostedCluster.self, settings.name, namespace: settings.namespace, merge: ["status": ["etcdPrefix": .string(prefix)]],
            subresource: "status")
    }

    /// How the external etcd can be used: by what the Secret holds now, or else by what it held when it was last of use. A mistake with a
    /// Secret ends nobody's service.
    ///
    /// - Throws: `ExternalEtcdTrouble` when it cannot be used at all.
    func find(_ external: ExternalEtcdSpec, _ settings: ClusterSettings) async throws -> FoundExternalEtcd {
        let (found, refused) = try await withKeys(to: external, in: settings.namespace, orIn: settings.controlPlaneNamespace) { keys in
            (keys: keys, sight: try await look(at: external, keys, settings))
        }
        return FoundExternalEtcd(keys: found.keys, sight: found.sight, refused: refused)
    }

    /// What `body` makes of the keys in the Secret, or else of those in its copy, and why not of the former.
    ///
    /// - Parameter controlPlane: the namespace of the copy; nil where there is none.
    /// - Throws: `ExternalEtcdTrouble` with the Secret's keys, where the copy's are the same or do no better.
    func withKeys<Result>(
        to external: ExternalEtcdSpec, in namespace: String, orIn controlPlane: String?,
        _ body: (ExternalEtcdKeys) async throws -> Result
    ) async throws -> (Result, refused: ExternalEtcdTrouble?) {
        let refused: ExternalEtcdTrouble
        var asked: ExternalEtcdKeys?
        do {
            let keys = try await externalEtcdKeys(external, namespace)
            asked = keys
            return (try await body(keys), nil)
        } catch let trouble as ExternalEtcdTrouble {
            refused = trouble
        }
        guard let controlPlane, let copy = try await client.find(Secret.self, ExternalEtcd.secretName, namespace: controlPlane),
            let kept = ExternalEtcdKeys(copy), kept != asked, let result = try? await body(kept)
        else { throw refused }
        return (result, refused)
    }

    private func look(
        at external: ExternalEtcdSpec, _ keys: ExternalEtcdKeys, _ settings: ClusterSettings
    ) async throws(ExternalEtcdTrouble) -> ExternalEtcdSight {
        let secret = external.secret(in: settings.namespace)
        let share = ExternalEtcd.share(namespace: settings.namespace, name: settings.name)
        let etcd = ExternalEtcdClient(external, keys: keys)
        return try await ExternalEtcdSight.look(through: etcd, prefix: settings.externalEtcdPrefix) {
            ExternalEtcdTrouble($0, secret: secret, share: share)
        }
    }

    /// - Throws: `ExternalEtcdTrouble` when the Secret is not there or lacks something.
    func externalEtcdKeys(_ external: ExternalEtcdSpec, _ namespace: String) async throws -> ExternalEtcdKeys {
        let name = external.secretName ?? ""
        let at = "(spec.etcd.external.secretName)"
        let secret: Secret?
        do {
            secret = try await client.find(Secret.self, name, namespace: namespace)
        } catch let error as KubernetesError where error.isForbidden {
            throw ExternalEtcdTrouble(
                reason: "NamespaceNotOpened",
                message: "the operator may not read the Secret \(namespace)/\(name) \(at); let it: "
                    + OperatorAccess.openingCommand(namespace, operatorNamespace: operatorNamespace))
        }
        guard let secret else {
            throw ExternalEtcdTrouble(
                reason: "NoSecret",
                message: "there is no Secret \(namespace)/\(name) \(at): make it, with ca.crt, tls.crt and tls.key for the external etcd")
        }
        guard let keys = ExternalEtcdKeys(secret) else {
            let missing = ExternalEtcdKeys.missingFiles(in: secret).joined(separator: " and ")
            throw ExternalEtcdTrouble(
                reason: "SecretIncomplete",
                message: "the Secret \(namespace)/\(name) \(at) lacks \(missing): it needs ca.crt, tls.crt and tls.key, in PEM")
        }
        return keys
    }
}

/// An external etcd that can be used.
struct FoundExternalEtcd {
    /// By which it was asked.
    var keys: ExternalEtcdKeys
    var sight: ExternalEtcdSight
    /// Why those are not the Secret's present ones; nil where they are.
    var refused: ExternalEtcdTrouble?
}

extension ExternalEtcdSpec {
    /// As messages call it.
    func secret(in namespace: String) -> String { "\(namespace)/\(secretName ?? "")" }
}
