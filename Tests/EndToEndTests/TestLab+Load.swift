import KubernetesClient
import Logging
import TestCommands
import TestLoad
import Testing

extension TestLab {
    /// Runs `body` while a client that never stops asking uses the tenant's API.
    func underLoad(_ tenant: CommandRun, _ log: LoadLog, _ body: @escaping @Sendable (Load) async throws -> Void) async throws {
        let kubeconfig = try #require(tenant.environment["KUBECONFIG"])
        let quiet = Logger(label: "load") { _ in SwiftLogNoOpLogHandler() }
        try await KubernetesClient.with(try Load.configuration(kubeconfig: kubeconfig), logger: quiet) { client in
            let load = Load(client: client, log: log)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await load.run()
                    return false
                }
                group.addTask {
                    try await body(load)
                    return true
                }
                defer { group.cancelAll() }
                while let isDone = try await group.next(), !isDone {}
            }
        }
    }
}
