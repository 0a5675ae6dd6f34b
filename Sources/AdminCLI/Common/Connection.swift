import ArgumentParser
import KubernetesClient
import Logging

/// The flags of kubectl that say which cluster and namespace are meant.
struct Connection: ParsableArguments {
    @Option(
        help: ArgumentHelp("The host cluster's kubeconfig; else $KUBECONFIG, then ~/.kube/config.", valueName: "file"),
        completion: .file())
    var kubeconfig: String?

    @Option(help: "The kubeconfig's context to use.", completion: NameCompletion.contexts)
    var context: String?

    @Option(name: [.short, .long], help: "The namespace; else the context's.", completion: NameCompletion.namespaces)
    var namespace: String?

    func configuration() throws -> ClientConfiguration { try .load(kubeconfig: kubeconfig, context: context) }

    /// The namespace for what is only printed: a kubeconfig is read for it when there is one.
    var namespaceOffline: String { namespace ?? (try? configuration().defaultNamespace) ?? "default" }

    /// Runs with a client of the host cluster that is shut down afterwards, whatever happens.
    func run<Result: Sendable>(_ body: (KubernetesClient, String) async throws -> Result) async throws -> Result {
        let configuration = try configuration()
        let userAgent = "nestbox/\(ProductVersion.current)"
        return try await KubernetesClient.with(configuration, userAgent: userAgent, logger: CommandLog.logger) { client in
            try await body(client, namespace ?? configuration.defaultNamespace ?? "default")
        }
    }
}

/// The commands' log: errors on stderr, everything with NESTBOX_DEBUG=1.
enum CommandLog {
    static let logger: Logger = {
        var logger = Logger(label: "nestbox") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Terminal.environment("NESTBOX_DEBUG") == nil ? .error : .debug
        return logger
    }()

    /// For where a word too many would be in the way.
    static let silent = Logger(label: "nestbox") { _ in SwiftLogNoOpLogHandler() }
}
