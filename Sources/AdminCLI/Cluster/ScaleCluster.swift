import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct ScaleCluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Set how many replicas a control plane has, while it serves.",
        discussion: """
            Members of etcd are added or taken away one at a time, and no write that was acknowledged is lost.

            Examples:
              nestbox scale cluster demo --replicas 3 --wait
              nestbox scale cluster demo --replicas 1 -n team-a
            """,
        aliases: HostedCluster.noun.aliases)

    @Argument(help: "The cluster's name.", completion: NameCompletion.names(of: HostedCluster.self)) var name: String
    @Option(parsing: .unconditional, help: "Control-plane replicas, 1 or 3.", completion: .list(["1", "3"])) var replicas: Int
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var connection: Connection

    func validate() throws {
        guard [1, 3].contains(replicas) else { throw ValidationError("--replicas must be 1 or 3: etcd's members are as many, and vote") }
    }

    func run() async throws {
        try await connection.run { client, namespace in
            let cluster = try await client.get(HostedCluster.self, name, namespace: namespace)
            var scaled = cluster
            scaled.spec?.controlPlane = cluster.spec?.controlPlane ?? ControlPlaneSpec()
            scaled.spec?.controlPlane?.replicas = replicas
            try CommandFailure.refuse(scaled.validateUpdate(from: cluster), of: "cluster \(name)")
            _ = try await client.patch(
                HostedCluster.self, name, namespace: namespace, merge: ["spec": ["controlPlane": ["replicas": .integer(replicas)]]])
            Terminal.writeLine("\(Rendering.name(HostedCluster.self, name)) scaled")
            guard waiting.wait else { return }
            try await Waiting<HostedCluster>(client: client, name: name, namespace: namespace, limit: waiting.timeout)
                .wait("scaled", whileThere: { [replicas] in $0.waitsFor(replicas: replicas) })
        }
    }
}

extension HostedCluster {
    /// What keeps it from having so many replicas that serve, in words; nil when it has them.
    func waitsFor(replicas: Int) -> String? {
        guard status?.observedGeneration == metadata.generation else { return "the operator has not seen it yet" }
        if let refusal = conditions?.named("ValidConfiguration"), refusal.status == "False" { return refusal.message }
        if let pause = conditions?.named("ReconciliationActive"), pause.status == "False" { return pause.message }
        let isThere =
            status?.controlPlane == ReplicaCounts(replicas: replicas, running: replicas, ready: replicas)
            // An external etcd is none of ours to count.
            && (status?.etcd.map { $0 == EtcdMemberCounts(members: replicas, ready: replicas) } ?? true)
        if isThere, conditions?.named("Progressing")?.status != "True" { return nil }
        if let missing = (conditions ?? []).missing("Available") { return missing }
        if let step = conditions?.named("Progressing"), step.status == "True" { return step.message }
        return "\(status?.controlPlane?.ready ?? 0) of \(replicas) control-plane pods serve"
    }
}
