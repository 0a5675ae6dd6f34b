import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import Logging
import ServiceLifecycle
import Tunnel

/// Follows the operator's record in the tenant's API and tells the tunnel server of its changes.
public struct RecordWatcher: ServiceLifecycle.Service {
    private let informer: Informer<ConfigMap>
    private let directory: RecordDirectory
    private let onChange: @Sendable () -> Void
    private let logger: Logger

    public init(client: KubernetesClient, directory: RecordDirectory, logger: Logger, onChange: @escaping @Sendable () -> Void) {
        informer = Informer(client: client, namespace: RecordReader.namespace, labels: RecordReader.label, logger: logger)
        self.directory = directory
        self.onChange = onChange
        self.logger = logger
    }

    public func run() async throws {
        // A burst of changes is one change: the record is read as a whole.
        let (changes, changed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        informer.onChange { _ in changed.yield() }
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { try await informer.run() }
                try await informer.waitUntilSynced()
                changed.yield()
                var lastProblems: [String] = []
                for await _ in changes {
                    let (record, problems) = RecordReader.read(informer.list())
                    if problems != lastProblems {
                        for problem in problems { logger.error("the record of nodes has a fault", metadata: ["fault": "\(problem)"]) }
                        lastProblems = problems
                    }
                    guard directory.update(record) else { continue }
                    logger.info("the record of nodes changed", metadata: ["nodes": "\(record.nodes.count)"])
                    onChange()
                }
                group.cancelAll()
            }
        }
    }
}
