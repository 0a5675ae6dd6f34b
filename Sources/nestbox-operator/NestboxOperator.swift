import ArgumentParser
import KubernetesClient
import Logging
import Operator
import SSHClient
import ServiceLifecycle
import UnixSignals

@main
struct NestboxOperator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nestbox-operator", abstract: "Runs tenants' control planes and joins their machines.", subcommands: [Run.self])
}

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run one role until told to stop.")

    @Option(help: "control-planes or machines.") var role: OperatorConfiguration.Role
    @Option(help: "The operators' namespace.") var namespace: String = "nestbox-system"
    @Option(help: "A name unique to this replica; its pod's.") var identity: String
    @Option(help: "Port of /healthz, /readyz and /metrics.") var healthPort: Int = 8080
    @Option(help: "The artifact store's folder.") var artifacts: String = "/var/cache/nestbox"
    @Option(help: "nestbox-node, which is pushed to machines.") var nodeProgram: String = "/usr/local/bin/nestbox-node"
    @Option(help: "Port where machines that nobody reaches fetch what they join with.") var artifactsPort: Int = 8081
    @Option(help: "This pod's address, to be published as where that is.") var podAddress: String?
    @Option(help: "A kubeconfig, to run outside the host cluster.") var kubeconfig: String?
    @Option(help: "trace, debug, info, warning or error.") var logLevel: Logger.Level = .info

    /// What reconciliations under way have to end in after SIGTERM, before they are cancelled. Less than the pods'
    /// terminationGracePeriodSeconds, 30: then the Lease is given up.
    private static let timeToFinish: Duration = .seconds(25)

    func run() async throws {
        // Its initialisation must not run beside anything that uses OpenSSL.
        try SSHLibrary.initialize()
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "nestbox-operator")
        logger.logLevel = logLevel
        let access = try kubeconfig.map { try ClientConfiguration.kubeconfig(path: $0) } ?? ClientConfiguration.inCluster()
        let client = try KubernetesClient(access, userAgent: "nestbox-operator", logger: logger)
        let configuration = OperatorConfiguration(
            role: role, namespace: namespace, identity: identity, healthPort: healthPort, artifacts: artifacts,
            nodeProgram: nodeProgram, artifactsPort: artifactsPort, podAddress: podAddress)
        var services = ServiceGroupConfiguration(
            services: [HealthServer(port: healthPort, logger: logger), Operator(configuration, client: client, logger: logger)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        services.maximumGracefulShutdownDuration = Self.timeToFinish
        try await ServiceGroup(configuration: services).run()
        await client.shutdown()
    }
}

extension OperatorConfiguration.Role: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
