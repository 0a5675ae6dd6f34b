import ArtifactStore
import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI

/// The half of the operator that speaks SSH: registration, joining and cleaning of machines.
struct MachinesRole {
    let configuration: OperatorConfiguration
    let client: KubernetesClient
    let logger: Logger

    init(_ configuration: OperatorConfiguration, client: KubernetesClient, logger: Logger) {
        self.configuration = configuration
        self.client = client
        self.logger = logger
    }

    func run() async throws {
        let nodeProgram = try NodeProgram.read(configuration.nodeProgram)
        let published = PublishedFiles()
        let server = FileServer(
            files: published, port: configuration.artifactsPort, address: configuration.podAddress, namespace: configuration.namespace,
            client: client, logger: logger)
        let machines = Informer<Machine>(client: client, logger: logger)
        let tickets = Informer<Secret>(client: client, namespace: configuration.namespace, labels: JoinTicket.label, logger: logger)
        let reconciler = MachineReconciler(
            client: client, artifacts: ArtifactStore(root: configuration.artifacts, logger: logger),
            nodeProgram: nodeProgram, published: published, events: EventRecorder(client: client, component: "nestbox-machines"),
            operatorNamespace: configuration.namespace, logger: logger)
        let controller = Controller(
            name: "machine", reconciler: reconciler,
            // Each holds one SSH connection and a plan of minutes.
            concurrency: 16, logger: logger)
        controller.watch(machines) { [ObjectKey($0)] }
        controller.watch(tickets) { secret in secret.metadata.labels?[JoinTicket.label].map { [ObjectKey(name: $0)] } ?? [] }
        // Beside the other, which may be in the middle of a plan with the very machine that somebody wants to look at.
        let requests = Controller(
            name: "machine-request", reconciler: MachineRequestReconciler(machines: reconciler), concurrency: 8, logger: logger)
        requests.watch(machines, when: { $0.object.pendingRequest != nil }, map: { [ObjectKey($0)] })
        try await runTogether([controller, requests], beside: [machines, tickets, server], logger: logger)
    }
}
