import ArgumentParser
import ArtifactStore
import KubernetesAPI
import KubernetesVersions
import NestboxAPI

extension Architecture: ExpressibleByArgument {}

extension ReusePolicy: ExpressibleByArgument {}

extension KubernetesVersion: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }

    /// Those in this computer's store.
    public static var defaultCompletionKind: CompletionKind {
        .custom { words, _, _ in
            let items = try? await ArtifactStore(
                root: CommandLineWords(words).value(of: ["--cache"]) ?? ArtifactStore.defaultRoot, logger: CommandLog.logger
            ).list()
            return (items ?? []).filter { $0.kind == .kubernetes }.map(\.name)
        }
    }
}

/// How long to wait: seconds, or with a unit as kubectl writes it.
struct WaitLimit: ExpressibleByArgument, Sendable, CustomStringConvertible {
    var duration: Duration

    init(seconds: Int) { duration = .seconds(seconds) }

    init?(argument: String) {
        guard let seconds = Int(argument).map(Double.init) ?? GoDuration(argument)?.seconds, seconds >= 0 else { return nil }
        duration = .milliseconds(Int(seconds * 1000))
    }

    var description: String { Rendering.duration(seconds: Int(duration.components.seconds)) }

    var defaultValueDescription: String { description }
}
