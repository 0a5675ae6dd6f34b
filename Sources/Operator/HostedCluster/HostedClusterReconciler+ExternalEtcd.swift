import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI

extension HostedClusterReconciler {
    /// Asks the etcd that the cluster brings, and makes sure that it holds this cluster's data. Nil while it does not answer, or when the
    /// data is lost.
    func runExternalEtcd(
        _ external: ExternalEtcdSpec, _ input: inout ControlPlaneInput, _ report: inout ClusterReport
    ) async throws -> EtcdFindings? {
        let settings = input.settings
        guard let keys = try await externalKeys(external, settings, &report) else { return nil }
        input.externalEtcd = keys
        try await applied.apply(ControlPlane.etcd(input), scope: settings.uid, with: client)
        let etcd = EtcdClient(external, keys: keys, logger: logger)
        let statuses = await etcd.statuses(of: etcd.endpoints.indices)
        guard let (ordinal, status) = statuses.filter({ $0.value.hasLeader }).min(by: { $0.key < $1.key }) else {
            let why = await firstWords(of: etcd)
            report.set("EtcdAvailable", false, reason: "NotAnswering", message: "the external etcd does not serve: \(why)")
            report.notAvailable("etcd does not serve")
            return nil
        }
        if let known = report.status.etcdClusterID, known != status.clusterID {
            report.lost("the external etcd is another one (its id is \(status.clusterID), it was \(known))")
            return nil
        }
        let prefix = ExternalEtcd.prefix(settings)
        if report.status.isBootstrapped, try await etcd.count(below: prefix, through: ordinal) == 0 {
            report.lost("the external etcd holds nothing below \(prefix) any more")
            return nil
        }
        report.set("EtcdAvailable", true, reason: "External")
        let silent = etcd.endpoints.indices.filter { statuses[$0]?.hasLeader != true }.map { etcd.endpoints[$0].name }
        // Who runs it may not let us see its alarms.
        let isFull = ((try? await etcd.alarms(through: ordinal)) ?? []).contains { $0.kind == .noSpace }
        let trouble = isFull ? "it has reached its quota and takes no writes" : "\(silent.joined(separator: " and ")) cannot be used"
        let isWell = silent.isEmpty && !isFull
        report.set(
            EtcdHealth.condition, isWell, reason: isWell ? "Healthy" : isFull ? "NoSpace" : "MemberDown",
            message: isWell ? "" : "the external etcd: \(trouble); it is for those who run it to mend")
        return EtcdFindings(
            clusterID: status.clusterID, apiServers: try await apiServers(settings), step: nil,
            nextLook: .seconds(Int.random(in: 300...600)))
    }

    /// Takes this cluster's part of the external etcd away. It is tried once: who runs that etcd can do it too, and a deletion ends.
    func clearExternalEtcd(_ cluster: HostedCluster) async {
        guard let external = cluster.spec?.etcd?.external, let settings = try? ClusterSettings(cluster) else { return }
        let prefix = ExternalEtcd.prefix(settings)
        do {
            guard let secret = try await client.find(Secret.self, external.secretName ?? "", namespace: settings.namespace),
                let keys = ExternalEtcdKeys(secret)
            else { throw PhaseError("its Secret \(external.secretName ?? "") is gone") }
            let etcd = EtcdClient(external, keys: keys, logger: logger)
            let statuses = await etcd.statuses(of: etcd.endpoints.indices)
            guard let (ordinal, status) = statuses.first(where: { $0.value.hasLeader }) else {
                throw PhaseError(await firstWords(of: etcd))
            }
            guard cluster.status?.etcdClusterID == nil || cluster.status?.etcdClusterID == status.clusterID else {
                throw PhaseError("it is another etcd than the one that served")
            }
            try await etcd.delete(below: prefix, through: ordinal)
        } catch {
            await events.record(
                .warning, reason: "EtcdDataLeft",
                message: "what is below \(prefix) in the external etcd was not removed: \(String("\(error)".prefix(300)))", on: cluster)
        }
    }

    private func externalKeys(
        _ external: ExternalEtcdSpec, _ settings: ClusterSettings, _ report: inout ClusterReport
    ) async throws -> ExternalEtcdKeys? {
        let name = external.secretName ?? ""
        let message: String
        do {
            if let secret = try await client.find(Secret.self, name, namespace: settings.namespace) {
                if let keys = ExternalEtcdKeys(secret) { return keys }
                message = "the Secret \(name) (spec.etcd.external.secretName) lacks one of ca.crt, tls.crt and tls.key"
            } else {
                message = "there is no Secret \(name) (spec.etcd.external.secretName) in \(settings.namespace)"
            }
        } catch let error as KubernetesError where error.isForbidden {
            message =
                "the operator may not read Secrets in \(settings.namespace); let it: kubectl -n \(settings.namespace) create rolebinding "
                + "\(OperatorAccess.serviceAccount) --clusterrole=nestbox-hosted-cluster-namespace "
                + "--serviceaccount=\(operatorNamespace):\(OperatorAccess.serviceAccount)"
        }
        report.set("EtcdAvailable", false, reason: "NoKeys", message: message)
        report.notAvailable(message)
        return nil
    }

    private func firstWords(of etcd: EtcdClient) async -> String {
        do {
            return try await etcd.status(of: 0).hasLeader ? "" : "it has no leader"
        } catch {
            return "\(error)"
        }
    }
}
