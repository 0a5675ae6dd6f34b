import ArgumentParser
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct PauseCluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Have the operator leave a cluster's control plane as it is until a time.",
        discussion: """
            It serves on, and its nodes' certificates are approved; nothing of it is changed, mended or renewed, but a deletion goes on. \
            A pause ends by itself.

            Examples:
              nestbox pause cluster demo --for 2h --reason "the host's storage is being moved"
              nestbox pause cluster demo --until 2026-08-01T06:00:00Z
            """,
        aliases: HostedCluster.noun.aliases)

    @Argument(help: "The cluster's name.", completion: NameCompletion.names(of: HostedCluster.self)) var name: String
    @Option(name: .customLong("for"), help: ArgumentHelp("For how long from now: seconds, or 90s, 2h.", valueName: "time"))
    var length: WaitLimit?
    @Option(help: ArgumentHelp("Until when, such as 2026-08-01T06:00:00Z.", valueName: "time")) var until: String?
    @Option(help: "Why, for whoever finds it so.") var reason: String?
    @OptionGroup var connection: Connection

    func validate() throws {
        guard (length == nil) != (until == nil) else { throw ValidationError("give --for or --until") }
        if let until, Timestamp.parse(until) == nil { throw ValidationError("--until \(until) is not a time such as 2026-08-01T06:00:00Z") }
        if let reason, reason.unicodeScalars.count > 1000 { throw ValidationError("--reason may have 1000 characters at most") }
    }

    func run() async throws {
        let end = until.flatMap(Timestamp.parse) ?? Date().addingTimeInterval(Double(length?.duration.components.seconds ?? 0))
        guard end > Date() else { throw CommandFailure("\(Timestamp.format(end)) is over: give a time to come") }
        try await connection.run { client, namespace in
            let cluster = try await client.get(HostedCluster.self, name, namespace: namespace)
            if let text = cluster.status?.certificates?.nextExpiry, let expiry = Timestamp.parse(text), end > expiry {
                throw CommandFailure(
                    "the first certificate of cluster \(name) ends at \(text), and none is renewed while it is paused: end the pause before that"
                )
            }
            _ = try await client.patch(
                HostedCluster.self, name, namespace: namespace,
                merge: [
                    "metadata": ["annotations": [HostedClusterAnnotation.pauseReason: reason.map(JSONValue.string) ?? .null]],
                    "spec": ["pausedUntil": .string(Timestamp.format(end))],
                ])
            Terminal.writeLine("\(Rendering.name(HostedCluster.self, name)) paused until \(Timestamp.format(end))")
        }
    }
}

struct ResumeCluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "End a cluster's pause before its time.", discussion: "Example:\n  nestbox resume cluster demo",
        aliases: HostedCluster.noun.aliases)

    @Argument(help: "The cluster's name.", completion: NameCompletion.names(of: HostedCluster.self)) var name: String
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, namespace in
            let cluster = try await client.get(HostedCluster.self, name, namespace: namespace)
            guard cluster.spec?.pausedUntil != nil else { throw CommandFailure("cluster \(name) is not paused") }
            _ = try await client.patch(
                HostedCluster.self, name, namespace: namespace,
                merge: [
                    "metadata": ["annotations": [HostedClusterAnnotation.pauseReason: .null]], "spec": ["pausedUntil": .null],
                ])
            Terminal.writeLine("\(Rendering.name(HostedCluster.self, name)) resumed")
        }
    }
}
