import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct CertificatesRenew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew", abstract: "Have a cluster's certificates renewed now, all that the operator renews or those that are named.",
        discussion: """
            Most are taken up by whoever holds them within minutes; for the others the control plane's pods are rolled, once for all of them. \
            The old ones stay good until they end: to renew takes nothing from somebody who has a copy.

            Examples:
              nestbox certificates renew demo --wait
              nestbox certificates renew demo apiserver apiserver-etcd-client
            """)

    @Argument(help: "The cluster's name.", completion: NameCompletion.names(of: HostedCluster.self)) var name: String
    @Argument(help: "Which, as certificates list names them; all unless given.") var certificates: [String] = []
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, namespace in
            let asking = RenewalAsking(client: client, name: name, namespace: namespace, limit: waiting.timeout)
            let id = try await asking.send(certificates.isEmpty ? nil : certificates)
            if waiting.wait { try await asking.wait(for: id, toBe: .completed) }
            Terminal.writeLine("\(Rendering.name(HostedCluster.self, name)) certificates \(waiting.wait ? "renewed" : "are being renewed")")
        }
    }
}

/// Asks the operator to renew a cluster's certificates, and waits for what comes of it.
struct RenewalAsking: Sendable {
    var client: KubernetesClient
    var name: String
    var namespace: String
    var limit: WaitLimit

    /// The request's id.
    func send(_ certificates: [String]?) async throws -> String {
        let cluster = try await client.get(HostedCluster.self, name, namespace: namespace)
        if let pause = (cluster.conditions ?? []).named("ReconciliationActive"), pause.status == "False" {
            throw CommandFailure(
                "cluster \(name) is \(pause.message), and nothing of it is touched: first nestbox resume cluster \(name) -n \(namespace)")
        }
        let request = CertificateRenewalRequest(id: MachineAsking.newID(), certificates: certificates)
        _ = try await client.patch(
            HostedCluster.self, name, namespace: namespace,
            merge: ["metadata": ["annotations": [CertificateRenewalRequest.annotation: .string(try request.annotationText)]]])
        return request.id
    }

    /// - Parameter state: `issued` when it is enough that they are there.
    func wait(for id: String, toBe state: CertificateRenewalState) async throws {
        let waiting = Waiting<HostedCluster>(client: client, name: name, namespace: namespace, limit: limit)
        try await waiting.wait("renewed", whileThere: { try Self.missing($0, id, state) })
    }

    private static func missing(_ cluster: HostedCluster, _ id: String, _ state: CertificateRenewalState) throws -> String? {
        guard let answer = cluster.status?.certificates?.renewal, answer.id == id else {
            guard cluster.certificateRenewalRequest?.id == id else {
                throw CommandFailure("cluster \(cluster.name) was asked to renew others meanwhile: ask again")
            }
            return "the operator has not answered yet"
        }
        switch answer.state {
        case .refused: throw CommandFailure("refused: \(Rendering.oneLine(answer.message ?? "it was not understood"))")
        case .completed: return nil
        case .issued:
            guard state != .issued else { return nil }
            if let kubeconfig = cluster.conditions?.named("KubeconfigAvailable"), kubeconfig.status == "False" { return kubeconfig.message }
            return "the control plane's pods are being rolled"
        }
    }
}
