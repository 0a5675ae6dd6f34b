import ArgumentParser
import KubernetesClient
import Logging
import ServiceLifecycle
import Tunnel
import TunnelService
import UnixSignals

struct Server: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve kube-apiserver, and the agents of the nodes.",
        discussion: """
            With --kubeconfig, connections are routed by the operator's record of nodes in that API. Without it, any agent whose \
            certificate the CA signed carries for any target, as upstream's proxy-server has it.

            Examples:
              # Beside kube-apiserver, for agents of ours and of upstream's
              nestbox-tunnel server --uds-name=/run/konnectivity.sock --agent-port=8132 \\
                --cluster-cert=server.crt --cluster-key=server.key --cluster-ca-cert=ca.crt
            """)

    @OptionGroup(title: "Where kube-apiserver connects to") var front: FrontFlags
    @Option(help: "The port that agents connect to.") var agentPort = 8091
    @Option(help: "The address of that port. (default: all)") var agentBindAddress = ""
    @Option(help: "The certificate shown there, PEM.") var clusterCert: String
    @Option(help: "Its key, PEM.") var clusterKey: String
    @Option(help: "The CA of the agents' certificates, PEM.") var clusterCaCert = ""
    @Option(help: "Tells this server from the others. (default: $PROXY_SERVER_ID, $POD_NAME, or else made up)") var serverID: String?
    @Option(help: "The port of /healthz, /readyz, /metrics and /agents.") var healthPort = 8092
    @Option(help: "The address of that port. (default: all)") var healthBindAddress = ""
    @Option(help: "Another port for the same, on loopback unless --admin-bind-address says where; 0 for none.") var adminPort = 0
    @Option(help: .hidden) var adminBindAddress = ""
    @Option(help: "How to reach the tenant's API, which holds the record of nodes.") var kubeconfig: String?
    @Option(help: "How long the server still takes dials after SIGTERM.") var shutdownDelay = GoTime(seconds: 0)
    @Option(help: "How long open connections may go on after that.") var gracefulShutdownTimeout = GoTime(seconds: 15)
    @OptionGroup(title: "Several servers") var peers: PeerFlags
    @OptionGroup(title: "Run alone") var konnectivity: KonnectivityFlags
    @Option(help: "trace, debug, info, warning or error.") var logLevel: Logger.Level = .info
    @OptionGroup(visibility: .hidden) var passedOver: UpstreamServerFlags
    @OptionGroup(visibility: .hidden) var log: UpstreamLogFlags

    func run() async throws {
        let logger = Logger(level: logLevel)
        let configuration = try configuration()
        if let account = try konnectivity.account() {
            try await runAlone(configuration, agentsOf: account, logger: logger)
        } else if clusterCaCert.isEmpty {
            throw ValidationError("--cluster-ca-cert is missing, by which agents' certificates are known")
        } else if let kubeconfig {
            try await run(configuration, recordIn: kubeconfig, logger: logger)
        } else {
            try await runAlone(configuration, reviewer: nil, beside: [], logger: logger)
        }
    }

    private func configuration() throws -> TunnelServerConfiguration {
        let name = serverID ?? ProcessEnvironment.value("PROXY_SERVER_ID") ?? ProcessEnvironment.value("POD_NAME")
        return TunnelServerConfiguration(
            front: try front.listening(), agentHost: agentBindAddress.isEmpty ? "::" : agentBindAddress, agentPort: agentPort,
            tls: TLSFiles(certificate: clusterCert, key: clusterKey, authority: clusterCaCert),
            peers: peers.peersPort.map {
                PeerListening(
                    port: $0, serverName: peers.peerServerName,
                    identifier: ServerCertificateIdentifier(serverName: peers.peerServerName))
            },
            serverID: name ?? TunnelServerConfiguration.randomID(), shutdownDelay: shutdownDelay.duration,
            drainTime: gracefulShutdownTimeout.duration)
    }

    /// In a control plane: the record says who carries what, and the servers find each other by Leases.
    private func run(_ configuration: TunnelServerConfiguration, recordIn kubeconfig: String, logger: Logger) async throws {
        try await KubernetesClient.with(.kubeconfig(path: kubeconfig), userAgent: "nestbox-tunnel", logger: logger) { client in
            let directory = RecordDirectory()
            let server = TunnelServer(
                configuration: configuration, identifier: NodeCertificateIdentifier(), directory: directory, logger: logger)
            var services: [any Service] = [
                RecordWatcher(client: client, directory: directory, logger: logger) { server.directoryChanged() },
                AgentReporter(client: client, id: configuration.serverID, server: server, directory: directory, logger: logger),
            ]
            if let port = peers.peersPort, let endpoint = Endpoint(host: ProcessEnvironment.value("POD_IP") ?? "", port: port) {
                services.append(
                    PeerDiscovery(client: client, id: configuration.serverID, endpoint: endpoint, logger: logger) { server.setPeers($0) })
            }
            try await serve(server, beside: services, logger: logger) { directory.current != nil }
        }
    }

    /// Alone, for agents that show tokens.
    private func runAlone(_ configuration: TunnelServerConfiguration, agentsOf account: AgentAccount, logger: Logger) async throws {
        guard let kubeconfig else { throw ValidationError("--kubeconfig is missing, for the API that reviews the agents' tokens") }
        guard clusterCaCert.isEmpty else { throw ValidationError("agents show tokens or certificates: leave --cluster-ca-cert out") }
        try await KubernetesClient.with(.kubeconfig(path: kubeconfig), userAgent: "nestbox-tunnel", logger: logger) { client in
            let reviews = TokenReviewService(client: client, account: account)
            try await runAlone(configuration, reviewer: reviews, beside: [reviews], logger: logger)
        }
    }

    private func runAlone(
        _ configuration: TunnelServerConfiguration, reviewer: (any AgentTokenReviewer)?, beside services: [any Service], logger: Logger
    ) async throws {
        var configuration = configuration
        configuration.konnectivity = KonnectivityServing(
            serverCount: konnectivity.serverCount, strategies: try konnectivity.strategies(), reviewer: reviewer)
        let server = TunnelServer(
            configuration: configuration, identifier: AnyCertificateIdentifier(), directory: OpenDirectory(), logger: logger)
        let others = try peers.fixed()
        if !others.isEmpty { server.setPeers(others) }
        // As upstream's: ready with an agent.
        try await serve(server, beside: services, logger: logger) { !server.agents.isEmpty }
    }

    private func serve(
        _ server: TunnelServer, beside services: [any Service], logger: Logger, isReady: @escaping @Sendable () -> Bool
    ) async throws {
        var services = services + [server]
        services.insert(
            HealthServer(
                host: healthBindAddress.isEmpty ? "0.0.0.0" : healthBindAddress, port: healthPort, server: server, logger: logger,
                isReady: isReady),
            at: 0)
        if adminPort > 0 {
            services.insert(
                HealthServer(
                    host: adminBindAddress.isEmpty ? "127.0.0.1" : adminBindAddress, port: adminPort, server: server, logger: logger,
                    isReady: isReady),
                at: 0)
        }
        var group = ServiceGroupConfiguration(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = shutdownDelay.duration + gracefulShutdownTimeout.duration + .seconds(5)
        try await ServiceGroup(configuration: group).run()
    }
}
