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
    @Option(help: "The Kubernetes version, such as v1.20.2; else the newest that a source of artifacts can give.")
    var version: KubernetesVersion?
    @Option(
        help: "The release of Nestbox that renders it; else this program's.", completion: .list(TemplateRevision.allCases.map(\.release)))
    var release: String?
    @Option(parsing: .unconditional, help: "Control-plane replicas, 1 or 3.", completion: .list(["1", "3"])) var replicas: Int?
    @Option(help: "The pods' network, such as 10.244.0.0/16.") var podCIDR: String?
    @Option(help: "The Services' network, such as 10.96.0.0/16.") var serviceCIDR: String?
    @Option(help: "How the API server is published: NodePort or LoadBalancer.", completion: .list(["NodePort", "LoadBalancer"]))
    var publish: String?
    @Option(help: "An address of the host's nodes, for NodePort; may be given again.") var publishAddress: [String] = []
    @Option(help: "etcd's volume, such as 8Gi.") var etcdStorage: String?
    @Option(help: "etcd's StorageClass; else the host's default.") var storageClass: String?
    @Flag(help: "Guard it against being deleted by mistake.") var deletionProtection = false
    @Option(help: ArgumentHelp("The operators' namespace.", valueName: "namespace")) var operatorNamespace: String = "nestbox-system"
    @OptionGroup var options: CreateOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        // Before a version is looked for, which may take the network.
        try CommandFailure.refuse(cluster(version ?? Self.anyVersion, connection.namespaceOffline).validate(), of: "cluster \(name)")
        let version = try await chosenVersion()
        if options.dryRun { return try options.show(cluster(version, connection.namespaceOffline)) }
        try await connection.run { client, namespace in
            try await OpenNamespace(namespace: namespace, operatorNamespace: operatorNamespace).run(with: client)
            try await options.create(cluster(version, namespace), with: client)
            guard options.waiting.wait else { return }
            try await Waiting<HostedCluster>(client: client, name: name, namespace: namespace, limit: options.waiting.timeout)
                .wait("available", whileThere: { ($0.conditions ?? []).missing("Available") })
        }
    }

    private func chosenVersion() async throws -> KubernetesVersion {
        if let version { return version }
        let newest = try await ArtifactStore(logger: CommandLog.logger).defaultVersion()
        Terminal.say("Kubernetes \(newest), the newest that a source of artifacts can give; --version chooses another")
        return newest
    }

    private static let anyVersion = KubernetesVersion(1, KubernetesVersion.supportedMinors.lowerBound, 0)

    private func cluster(_ version: KubernetesVersion, _ namespace: String) -> HostedCluster {
        var spec = HostedClusterSpec(version: version, release: release ?? Defaults.release)
        if let replicas { spec.controlPlane = ControlPlaneSpec(replicas: replicas) }
        if podCIDR != nil || serviceCIDR != nil { spec.network = NetworkSpec(pods: podCIDR, services: serviceCIDR) }
        if publish != nil || !publishAddress.isEmpty {
            spec.publish = PublishSpec(type: publish, addresses: publishAddress.isEmpty ? nil : publishAddress)
        }
        if etcdStorage != nil || storageClass != nil {
            spec.etcd = EtcdSpec(storage: EtcdStorageSpec(size: etcdStorage, storageClassName: storageClass))
        }
        if deletionProtection { spec.deletionProtection = true }
        return HostedCluster(metadata: ObjectMeta(name: name, namespace: namespace), spec: spec).withDefaults()
    }
}
