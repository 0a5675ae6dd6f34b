import ControllerRuntime
public import KubernetesClient
public import Logging
import ServiceLifecycle

/// The operator: takes part in the election of its role's leader, and runs that role's controllers while it leads.
public struct Operator: Service {
    let configuration: OperatorConfiguration
    let client: KubernetesClient
    let logger: Logger

    public init(_ configuration: OperatorConfiguration, client: KubernetesClient, logger: Logger) {
        self.configuration = configuration
        self.client = client
        self.logger = logger
    }

    public func run() async throws {
        let elector = LeaderElector(
            client: client, namespace: configuration.namespace, name: "nestbox-\(configuration.role.rawValue)",
            identity: configuration.identity, logger: logger)
        try await elector.run {
            switch configuration.role {
            case .controlPlanes: try await ControlPlanesRole(configuration, client: client, logger: logger).run()
            case .machines: try await MachinesRole(configuration, client: client, logger: logger).run()
            }
        }
    }
}
