import ArgumentParser
import Tunnel
import TunnelService

/// Upstream's proxy-server's flags for a server that runs alone.
struct KonnectivityFlags: ParsableArguments {
    @Option(help: "How many servers agents are to connect to.") var serverCount: Int?
    @Option(help: "How an agent is found, with commas: destHost, defaultRoute, default.") var proxyStrategies = "default"
    @Option(help: "The namespace of the agents' service account, if they show tokens.") var agentNamespace = ""
    @Option(help: "Their service account.") var agentServiceAccount = ""
    @Option(help: "The audience of their tokens.") var authenticationAudience = ""

    func strategies() throws -> [ProxyStrategy] {
        guard let strategies = ProxyStrategy.list(proxyStrategies) else {
            throw ValidationError("--proxy-strategies=\(proxyStrategies): not a list of destHost, defaultRoute and default")
        }
        return strategies
    }

    /// Whose tokens agents show; nil if they show certificates.
    func account() throws -> AgentAccount? {
        let parts = [agentNamespace, agentServiceAccount, authenticationAudience]
        if parts.allSatisfy(\.isEmpty) { return nil }
        guard !parts.contains(where: \.isEmpty) else {
            throw ValidationError("--agent-namespace, --agent-service-account and --authentication-audience go together")
        }
        return AgentAccount(namespace: agentNamespace, serviceAccount: agentServiceAccount, audience: authenticationAudience)
    }
}

extension FrontProtocol: ExpressibleByArgument {}
