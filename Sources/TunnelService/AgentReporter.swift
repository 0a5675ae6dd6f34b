import KubernetesAPI
import KubernetesClient
import Logging
import ServiceLifecycle
import Tunnel

/// Keeps this server's report of its agents in the tenant's API, where the operator reads it.
public struct AgentReporter: ServiceLifecycle.Service {
    /// An agent that comes back at once, or a server that has just started, is nothing to tell of.
    private static let pause = Duration.seconds(2)

    private let client: KubernetesClient
    private let id: String
    private let server: TunnelServer
    private let directory: RecordDirectory
    private let logger: Logger

    public init(client: KubernetesClient, id: String, server: TunnelServer, directory: RecordDirectory, logger: Logger) {
        self.client = client
        self.id = id
        self.server = server
        self.directory = directory
        self.logger = logger
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var told: AgentReport?
            for await _ in server.agentChanges {
                repeat {
                    // Cancelled in a pause it still takes the report away.
                    guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
                    guard let record = directory.current else { break }
                    told = await tell(AgentReport(record: record, agents: server.agents), after: told)
                } while told == nil
            }
        }
        try? await client.delete(Lease.self, AgentReport.name(of: id), namespace: RecordReader.namespace)
    }

    /// What the API holds now; nil when it is to be told again.
    private func tell(_ report: AgentReport, after told: AgentReport?) async -> AgentReport? {
        guard report != told else { return told }
        do {
            _ = try await client.apply(report.lease(of: id, namespace: RecordReader.namespace), fieldManager: "nestbox-tunnel")
            return report
        } catch {
            logger.debug("could not write the report of agents", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
