import ArgumentParser
import ArtifactStore
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI

struct CreateCluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Create a tenant's cluster.",
        discussion: """
            Examples:
              nestbox create cluster demo --version v1.20.2 --wait
              nestbox create cluster team-a -n tenants --replicas 3 --publish LoadBalancer
              nestbox create cluster demo --dry-run -o yaml > demo.yaml
            """)

    @Argument(help: "The cluster's name.") var name: String
    @Option(help: "The Kubernetes version; else the newest that a source of artifacts can give.") var version: String?
    @Option(help: "Control-plane replicas, 1 or 3.") var replicas: Int?
    @Option(help: "The pods' network.") var podCIDR: String?
    @Option(help: "The Services' network.") var serviceCIDR: String?
    @Option(help: "How the API server is published: NodePort or LoadBalancer.") var publish: String?
    @Option(help: "An address of the host's nodes, for NodePort; may be given again.") var publishAddress: [String] = []
    @Option(help: "etcd's volume, such as 8Gi.") var etcdStorage: String?
    @Option(help: "etcd's StorageClass; else the host's default.") var storageClass: String?
    @Option(help: "The operators' namespace.") var operatorNamespace: String = "nestbox-system"
    @OptionGroup var options: CreateOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        let version = try await chosenVersion()
        if options.dryRun { return try options.show(try cluster(version, namespace: connection.namespace ?? "default")) }
        try await connection.run { client, namespace in
            let cluster = try cluster(version, namespace: namespace)
            try await OpenNamespace(namespace: namespace, operatorNamespace: operatorNamespace).run(with: client)
            _ = try await options.create(cluster, with: client)
            guard options.wait else { return }
            try await Waiting(timeout: .seconds(options.timeout)).wait(for: "cluster \(name)") {
                let now = try await client.get(HostedCluster.self, name, namespace: namespace)
                return (now.status?.conditions ?? []).missing("Available")
            }
        }
    }

    private func chosenVersion() async throws -> KubernetesVersion {
        guard let version else { return try await ArtifactStore(logger: CommandLog.logger).defaultVersion() }
        guard let parsed = KubernetesVersion(version) else {
            throw ValidationError("--version: \"\(version)\" is not a Kubernetes version such as v1.20.2")
        }
        return parsed
    }

    private func cluster(_ version: KubernetesVersion, namespace: String) throws -> HostedCluster {
        var spec = HostedClusterSpec(version: version)
        if let replicas { spec.controlPlane = ControlPlaneSpec(replicas: replicas) }
        if podCIDR != nil || serviceCIDR != nil { spec.network = NetworkSpec(pods: podCIDR, services: serviceCIDR) }
        if publish != nil || !publishAddress.isEmpty {
            spec.publish = PublishSpec(type: publish, addresses: publishAddress.isEmpty ? nil : publishAddress)
        }
        if etcdStorage != nil || storageClass != nil {
            spec.etcd = EtcdSpec(storage: EtcdStorageSpec(size: etcdStorage, storageClassName: storageClass))
        }
        let cluster = HostedCluster(metadata: ObjectMeta(name: name, namespace: namespace), spec: spec).withDefaults()
        let problems = cluster.validate()
        guard problems.isEmpty else { throw ValidationError(problems.map(\.description).joined(separator: "\n")) }
        return cluster
    }
}
