import ArgumentParser
import KubernetesClient
import Logging
import ServiceLifecycle
import Tunnel
import TunnelService
import UnixSignals

@main
struct NestboxTunnel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nestbox-tunnel", abstract: "Carries a control plane's connections to its nodes.", version: "v0.1.0",
        subcommands: [Serve.self, Agent.self])

    static func main() async { await main(GoArguments.translated(CommandLine.arguments.dropFirst())) }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve kube-apiserver on a Unix socket and agents on a TCP port.",
        discussion: """
            With --kubeconfig, connections are routed by the operator's record of nodes in that API. Without it, any agent whose \
            certificate the CA signed carries for any target, as upstream's proxy-server has it.
            """, aliases: ["server"])

    @Option(name: [.customLong("uds-name"), .customLong("socket")], help: "The Unix socket that kube-apiserver connects to.")
    var socket: String
    @Option(name: [.customLong("agent-port"), .customLong("agents-port")], help: "The port that agents connect to.")
    var agentPort = 8132
    @Option(help: "Port of /healthz, /readyz, /metrics and /agents.") var healthPort = 8134
    @Option(name: [.customLong("cluster-cert"), .customLong("certificate-file")], help: "The serving certificate, PEM.")
    var certificate: String
    @Option(name: [.customLong("cluster-key"), .customLong("key-file")], help: "Its key, PEM.") var key: String
    @Option(name: [.customLong("cluster-ca-cert"), .customLong("ca-file")], help: "The CA of the agents' certificates, PEM.")
    var authority = ""
    @Option(help: "How to reach the tenant's API, which holds the record of nodes.") var kubeconfig: String?
    @Option(name: [.customLong("drain-time"), .customLong("shutdown-delay")], help: "How long open connections may go on after SIGTERM.")
    var drainTime = Seconds(seconds: 15)
    @Option(help: .init("For the other servers of the control plane; not used yet.", visibility: .hidden)) var peersPort: Int?
    @OptionGroup(title: "Run alone") var konnectivity: KonnectivityOptions
    @Option(help: "trace, debug, info, warning or error.") var logLevel: Logger.Level = .info

    func run() async throws {
        ProcessMemory.tune()
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "nestbox-tunnel")
        logger.logLevel = logLevel
        var configuration = TunnelServerConfiguration(
            socketPath: socket, agentPort: agentPort, tls: TLSFiles(certificate: certificate, key: key, authority: authority),
            drainTime: drainTime.duration)
        configuration.front = konnectivity.mode
        if let serverID = konnectivity.serverID { configuration.serverID = serverID }
        if let account = try konnectivity.account() {
            try await run(configuration, account: account, logger: logger)
        } else if authority.isEmpty {
            throw ValidationError("--cluster-ca-cert is missing, by which agents' certificates are known")
        } else if let kubeconfig {
            try await run(configuration, kubeconfig: kubeconfig, logger: logger)
        } else {
            try await run(configuration, logger: logger)
        }
    }

    private func run(_ configuration: TunnelServerConfiguration, kubeconfig: String, logger: Logger) async throws {
        try await KubernetesClient.with(.kubeconfig(path: kubeconfig), userAgent: "nestbox-tunnel", logger: logger) { client in
            let directory = RecordDirectory()
            let server = TunnelServer(
                configuration: configuration, identifier: NodeCertificateIdentifier(), directory: directory, logger: logger)
            let watcher = RecordWatcher(client: client, directory: directory, logger: logger) { server.directoryChanged() }
            let health = HealthServer(port: healthPort, server: server, logger: logger) { directory.current != nil }
            try await serve([health, watcher, server], logger: logger)
        }
    }

    /// Alone, for agents that show tokens.
    private func run(_ configuration: TunnelServerConfiguration, account: AgentAccount, logger: Logger) async throws {
        guard let kubeconfig else { throw ValidationError("--kubeconfig is missing, for the API that reviews the agents' tokens") }
        guard authority.isEmpty else { throw ValidationError("agents show tokens or certificates: leave --cluster-ca-cert out") }
        try await KubernetesClient.with(.kubeconfig(path: kubeconfig), userAgent: "nestbox-tunnel", logger: logger) { client in
            let reviews = TokenReviewService(client: client, account: account)
            try await runAlone(configuration, reviewer: reviews, beside: [reviews], logger: logger)
        }
    }

    private func run(_ configuration: TunnelServerConfiguration, logger: Logger) async throws {
        try await runAlone(configuration, reviewer: nil, beside: [], logger: logger)
    }

    private func runAlone(
        _ configuration: TunnelServerConfiguration, reviewer: (any AgentTokenReviewer)?, beside services: [any Service], logger: Logger
    ) async throws {
        var configuration = configuration
        configuration.konnectivity = KonnectivityServing(
            serverCount: konnectivity.serverCount, strategies: try konnectivity.strategies(), reviewer: reviewer)
        let server = TunnelServer(
            configuration: configuration, identifier: AnyCertificateIdentifier(), directory: OpenDirectory(), logger: logger)
        // As upstream's: ready with an agent.
        let health = HealthServer(port: healthPort, server: server, logger: logger) { !server.agents.isEmpty }
        try await serve([health] + services + [server], logger: logger)
    }

    private func serve(_ services: [any Service], logger: Logger) async throws {
        var group = ServiceGroupConfiguration(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = drainTime.duration + .seconds(5)
        try await ServiceGroup(configuration: group).run()
    }
}

/// A number of seconds, with or without the `s` that Go wants.
struct Seconds: ExpressibleByArgument {
    var seconds: Double
    var duration: Duration { .seconds(seconds) }
    var defaultValueDescription: String { "\(Int(seconds))s" }

    init(seconds: Double) { self.seconds = seconds }

    init?(argument: String) {
        guard let seconds = Double(argument.hasSuffix("s") ? String(argument.dropLast()) : argument), (0...3600).contains(seconds) else {
            return nil
        }
        self.seconds = seconds
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
