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
        subcommands: [Serve.self])
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve kube-apiserver on a Unix socket and agents on a TCP port.",
        discussion: """
            With --kubeconfig, connections are routed by the operator's record of nodes in that API. Without it, any agent whose \
            certificate the CA signed carries for any target.
            """)

    @Option(name: [.customLong("uds-name"), .customLong("socket")], help: "The Unix socket that kube-apiserver connects to.")
    var socket: String
    @Option(name: [.customLong("agent-port"), .customLong("agents-port")], help: "The port that agents connect to.")
    var agentPort = 8132
    @Option(help: "Port of /healthz, /readyz, /metrics and /agents.") var healthPort = 8134
    @Option(name: [.customLong("cluster-cert"), .customLong("certificate-file")], help: "The serving certificate, PEM.")
    var certificate: String
    @Option(name: [.customLong("cluster-key"), .customLong("key-file")], help: "Its key, PEM.") var key: String
    @Option(name: [.customLong("cluster-ca-cert"), .customLong("ca-file")], help: "The CA of the agents' certificates, PEM.")
    var authority: String
    @Option(help: "How to reach the tenant's API, which holds the record of nodes.") var kubeconfig: String?
    @Option(name: [.customLong("drain-time"), .customLong("shutdown-delay")], help: "How long open connections may go on after SIGTERM.")
    var drainTime = Seconds(seconds: 15)
    @Option(help: .init("For the other servers of the control plane; not used yet.", visibility: .hidden)) var peersPort: Int?
    @Option(help: "trace, debug, info, warning or error.") var logLevel: Logger.Level = .info

    func run() async throws {
        ProcessMemory.tune()
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "nestbox-tunnel")
        logger.logLevel = logLevel
        let configuration = TunnelServerConfiguration(
            socketPath: socket, agentPort: agentPort, tls: TLSFiles(certificate: certificate, key: key, authority: authority),
            drainTime: drainTime.duration)
        if let kubeconfig {
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

    private func run(_ configuration: TunnelServerConfiguration, logger: Logger) async throws {
        let server = TunnelServer(
            configuration: configuration, identifier: AnyCertificateIdentifier(), directory: OpenDirectory(), logger: logger)
        // As upstream's: ready with an agent.
        let health = HealthServer(port: healthPort, server: server, logger: logger) { !server.agents.isEmpty }
        try await serve([health, server], logger: logger)
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
