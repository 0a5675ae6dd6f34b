import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct ProtectCluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Guard a cluster against being deleted by mistake.",
        discussion: """
            nestbox delete refuses it then. A deletion by other hands cannot be refused, and once asked for not be taken back either: the operator \
            tears nothing down, and the cluster serves on, until the protection is taken away.

            Example:
              nestbox protect cluster demo
            """,
        aliases: HostedCluster.noun.aliases)

    @OptionGroup var target: ProtectionTarget

    func run() async throws { try await target.set(true, saying: "protected against deletion") }
}

struct UnprotectCluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Let a cluster be deleted again; a deletion that was held back begins.",
        discussion: "Example:\n  nestbox unprotect cluster demo && nestbox delete cluster demo", aliases: HostedCluster.noun.aliases)

    @OptionGroup var target: ProtectionTarget

    func run() async throws { try await target.set(false, saying: "no longer protected against deletion") }
}

struct ProtectionTarget: ParsableArguments {
    @Argument(help: "The cluster's name.", completion: NameCompletion.names(of: HostedCluster.self)) var name: String
    @OptionGroup var connection: Connection

    func set(_ isProtected: Bool, saying done: String) async throws {
        try await connection.run { client, namespace in
            _ = try await client.patch(
                HostedCluster.self, name, namespace: namespace, merge: ["spec": ["deletionProtection": .bool(isProtected)]])
            Terminal.writeLine("\(Rendering.name(HostedCluster.self, name)) \(done)")
        }
    }
}
