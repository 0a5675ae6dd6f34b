import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// Runs etcd, and makes sure that it holds this cluster's data. False while it does not answer, or when the data is lost.
    func runEtcd(_ input: ControlPlaneInput, _ report: inout ClusterReport) async throws -> Bool {
        let settings = input.settings
        // A volume that is there needs its class no more.
        if !input.isBootstrapped { guard try await storageClassExists(settings, &report) else { return false } }
        try await applied.apply(ControlPlane.etcd(input), scope: settings.uid, with: client)
        // The first time both start side by side: kube-apiserver waits for its etcd, and there is no data yet to look at first.
        if !report.status.isBootstrapped { try await applied.apply(ControlPlane.pods(input), scope: settings.uid, with: client) }

        let namespace = settings.controlPlaneNamespace
        let set = try await client.get(StatefulSet.self, NestboxName.etcdStatefulSet, namespace: namespace)
        guard (set.status?.readyReplicas ?? 0) > 0 else {
            report.set(
                "EtcdAvailable", false, reason: "NotReady", message: try await podTrouble("etcd", in: namespace) ?? "etcd is starting")
            report.notAvailable("etcd is not ready")
            return false
        }
        let identity = try await etcdClusterID(input)
        if let known = report.status.etcdClusterID, known != identity {
            report.lost("etcd holds other data than this cluster's (its id is \(identity), it was \(known))")
            return false
        }
        report.update { $0.etcdClusterID = identity }
        report.set("EtcdAvailable", true, reason: "Ready")
        return true
    }

    /// etcd's own id of its data, asked through its JSON gateway (etcd docs, "gRPC gateway").
    private func etcdClusterID(_ input: ControlPlaneInput) async throws -> String {
        let namespace = input.settings.controlPlaneNamespace
        let access = ClientConfiguration(
            server: "https://\(input.etcdServiceAddresses.first ?? ""):\(NestboxPort.etcdClients)",
            certificateAuthority: input.keys.etcd.certificatePEM,
            clientCertificate: input.keys.leaves[.etcdOperator]?.certificatePEM, clientKey: input.keys.leaves[.etcdOperator]?.keyPEM,
            token: nil, tlsServerName: NestboxName.etcdMember(0))
        let answer = try await KubernetesClient.with(access, userAgent: "nestbox-operator", logger: logger) { etcd in
            try await etcd.raw(.post, path: "/v3/maintenance/status", body: [:])
        }
        let status = try JSONDecoder().decode(JSONValue.self, from: Data(answer.body))
        guard let identity = status["header"]?["cluster_id"]?.string else {
            throw PhaseError("etcd of \(namespace) answered its status without a cluster id (HTTP \(answer.status))")
        }
        return identity
    }

    private func storageClassExists(_ settings: ClusterSettings, _ report: inout ClusterReport) async throws -> Bool {
        let classes = try await client.list(StorageClass.self).items
        let wanted = settings.spec.etcd?.storage?.storageClassName
        let isThere =
            wanted.map { name in classes.contains { $0.name == name } }
            ?? classes.contains { $0.metadata.annotations?["storageclass.kubernetes.io/is-default-class"] == "true" }
        if !isThere {
            let message =
                wanted.map { "the host has no StorageClass \($0) (spec.etcd.storage.storageClassName)" }
                ?? "the host has no default StorageClass: set spec.etcd.storage.storageClassName, or make one the default"
            report.set("EtcdAvailable", false, reason: "NoStorageClass", message: message)
            report.notAvailable(message)
        }
        return isThere
    }
}

/// What a phase met that is none of the API's own errors.
struct PhaseError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
