import ArgumentParser
import KubernetesClient
import Logging

/// The flags of kubectl that say which cluster and namespace are meant.
struct Connection: ParsableArguments {
    @Option(help: ArgumentHelp("The host cluster's kubeconfig; else $KUBECONFIG, then ~/.kube/config.", valueName: "file"))
    var kubeconfig: String?

    @Option(help: "The kubeconfig's context to use.")
    var context: String?

    @Option(name: [.short, .long], help: "The namespace; else the context's.")
    var namespace: String?

    /// Runs with a client of the host cluster that is shut down afterwards, whatever happens.
    func run<Result>(_ body: (KubernetesClient, String) async throws -> Result) async throws -> Result {
        let configuration: ClientConfiguration
        do {
            configuration = try ClientConfiguration.load(kubeconfig: kubeconfig, context: context)
        } catch {
            throw CommandFailure("no host cluster: \(error)")
        }
        let client = try KubernetesClient(configuration, userAgent: "nestbox/\(ProductVersion.current)", logger: CommandLog.logger)
        do {
            let result = try await body(client, namespace ?? configuration.defaultNamespace ?? "default")
            await client.shutdown()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    }
}

/// A failure whose text is meant for the person at the terminal.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The commands' log: warnings and worse on stderr, everything with NESTBOX_DEBUG=1.
enum CommandLog {
    static let logger: Logger = {
        var logger = Logger(label: "nestbox") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Terminal.environment("NESTBOX_DEBUG") == nil ? .error : .debug
        return logger
    }()
}
