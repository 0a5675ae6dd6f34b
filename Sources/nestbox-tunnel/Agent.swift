import ArgumentParser
import Logging
import ServiceLifecycle
import Tunnel
import TunnelService
import UnixSignals

struct Agent: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Carry for upstream's proxy servers (Konnectivity).",
        discussion: """
            Takes the place of upstream's proxy-agent, with its flags. Loopback and link-local addresses and metadata services are \
            not dialled for the cluster unless they are allowed.
            """)

    @Option(help: "The host of the proxy servers.") var proxyServerHost = "127.0.0.1"
    @Option(help: "Their port.") var proxyServerPort = 8091
    @Option(help: "The agent's certificate, PEM. Without it the agent shows a token.") var agentCert = ""
    @Option(help: "Its key, PEM.") var agentKey = ""
    @Option(help: "The CA of the servers' certificates, PEM.") var caCert: String
    @Option(help: "A name that no other agent has. (default: $PROXY_AGENT_ID, or else one made up)") var agentID: String?
    @Option(help: "What the agent reaches, for servers that go by it: ipv4=10.0.0.1&host=node1&default-route=true.")
    var agentIdentifiers = ""
    @Option(help: "A file with a token for the servers.") var serviceAccountTokenPath = ""
    @Option(name: .customLong("alpn-proto"), help: "Protocols to offer beside h2, with commas.") var alpnProto = ""
    @Option(help: "How often to look for another server.") var syncInterval = GoTime(seconds: 1)
    @Option(help: "How far failures stretch that.") var syncIntervalCap = GoTime(seconds: 10)
    @Option(help: "Look for servers even when there are as many as the last one knew.") var syncForever = false
    @Option(help: "The address of /healthz, /readyz and /metrics.") var healthServerHost = ""
    @Option(help: "Their port.") var healthServerPort = 8093
    @Option(help: "Blocks of addresses to dial for the cluster although they are refused otherwise, with commas.") var dialAllow = ""
    @Option(help: "How long open connections may go on after SIGTERM.") var drainTime = GoTime(seconds: 15)
    @Option(help: "trace, debug, info, warning or error.") var logLevel: Logger.Level = .info
    @OptionGroup(visibility: .hidden) var passedOver: UpstreamAgentFlags
    @OptionGroup(visibility: .hidden) var log: UpstreamLogFlags

    func run() async throws {
        let logger = Logger(level: logLevel)
        let agent = StandaloneAgent(configuration: try configuration(), logger: logger)
        let health = StandaloneAgentHealth(host: healthServerHost, port: healthServerPort, agent: agent, logger: logger)
        var group = ServiceGroupConfiguration(services: [health, agent], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = drainTime.duration + .seconds(5)
        try await ServiceGroup(configuration: group).run()
    }

    private func configuration() throws -> KonnectivityAgentConfiguration {
        guard let server = Endpoint(host: proxyServerHost, port: proxyServerPort) else {
            throw ValidationError("--proxy-server-host=\(proxyServerHost) --proxy-server-port=\(proxyServerPort): not a host and port")
        }
        guard agentCert.isEmpty == agentKey.isEmpty else { throw ValidationError("--agent-cert and --agent-key go together") }
        do {
            let unknown = try AgentIdentifiers(query: agentIdentifiers).unknown
            if let first = unknown.first { throw ValidationError("--agent-identifiers: there is no kind \"\(first)\"") }
        } catch let error as AgentIdentifiers.Malformed {
            throw ValidationError("--agent-identifiers: \(error)")
        }
        var allowed: [AddressBlock] = []
        for text in dialAllow.split(separator: ",") {
            guard let block = AddressBlock(String(text)) else {
                throw ValidationError("--dial-allow: \"\(text)\" is no block of addresses")
            }
            allowed.append(block)
        }
        let environment = ProcessEnvironment.value("PROXY_AGENT_ID")
        return KonnectivityAgentConfiguration(
            server: server, tls: TLSFiles(certificate: agentCert, key: agentKey, authority: caCert),
            agentID: agentID ?? environment ?? TunnelServerConfiguration.randomID(), identifiers: agentIdentifiers,
            tokenPath: serviceAccountTokenPath.isEmpty ? nil : serviceAccountTokenPath,
            // Upstream's test suite writes an empty list as Go prints it.
            extraProtocols: alpnProto == "[]" ? [] : alpnProto.split(separator: ",").map(String.init),
            syncInterval: syncInterval.duration, syncIntervalCap: syncIntervalCap.duration, syncForever: syncForever,
            policy: DialPolicy(allowed: allowed), drainTime: drainTime.duration)
    }
}

/// Flags of upstream's agent that have no meaning here, so that its command lines can stay as they are.
struct UpstreamAgentFlags: ParsableArguments {
    @Option var adminBindAddress = ""
    @Option var adminServerPort = 0
    @Option var enableProfiling = false
    @Option var enableContentionProfiling = false
    @Option var probeInterval = GoTime(seconds: 1)
    @Option var keepaliveTime = GoTime(seconds: 3600)
    @Option var warnOnChannelLimit = false
    @Option var xfrChannelSize = 150
    @Option var countServerLeases = false
    @Option var leaseNamespace = ""
    @Option var leaseLabelSelector = ""
    @Option var leaseLabel = ""
    @Option var serverCountSource = ""
    @Option var kubeconfig = ""
    @Option var kubeApiContentType = ""

    func validate() throws {
        guard !countServerLeases else {
            throw ValidationError("--count-server-leases: servers are counted by what they say themselves (their --server-count)")
        }
    }
}
