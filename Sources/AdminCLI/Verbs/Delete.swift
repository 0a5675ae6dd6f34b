import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete a cluster, a node pool or a machine.",
        discussion: """
            Examples:
              nestbox delete nodepool workers
              nestbox delete cluster demo --timeout 20m
            """,
        subcommands: [DeleteObject<HostedCluster>.self, DeleteObject<NodePool>.self, DeleteObject<Machine>.self])
}

struct DeleteObject<Kind: AdminKind>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        let noun = Kind.noun
        return CommandConfiguration(
            commandName: noun.singular, abstract: "Delete a \(noun.title) and all that it has.",
            discussion: """
                Examples:
                  nestbox delete \(noun.singular) \(noun.example)
                  nestbox delete \(noun.singular) \(noun.example) --no-wait --ignore-not-found
                """,
            aliases: [noun.plural] + noun.aliases)
    }

    @Argument(help: "Its name; may be several.", completion: NameCompletion.names(of: Kind.self)) var names: [String]
    @Flag(inversion: .prefixedNo, help: "Wait until it is gone, showing what it waits for.") var wait = true
    @Option(help: ArgumentHelp("How long to wait: seconds, or 90s, 10m.", valueName: "time")) var timeout = WaitLimit(seconds: 600)
    @Flag(help: "That it is not there is no error.") var ignoreNotFound = false
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, namespace in
            let scope = Kind.resourceType.namespaced ? namespace : nil
            // All are looked at before the first one goes.
            var objects: [Kind] = []
            for name in names {
                do {
                    let object = try await client.get(Kind.self, name, namespace: scope)
                    if let refusal = object.deletionRefusal { throw CommandFailure(refusal) }
                    objects.append(object)
                } catch let error as KubernetesError where error.isNotFound && ignoreNotFound {}
            }
            var failures: [String] = []
            var deleted: [(name: String, uid: String?)] = []
            for object in objects {
                do {
                    // By its UID, so that what is waited for is this one to go, and not one made anew under its name.
                    try await client.delete(Kind.self, object.name, namespace: scope, uid: object.metadata.uid)
                    deleted.append((object.name, object.metadata.uid))
                } catch let error as KubernetesError where error.isNotFound && ignoreNotFound {
                } catch let error as KubernetesError {
                    failures.append("\(error)")
                }
            }
            for (name, uid) in deleted {
                if wait {
                    let waiting = Waiting<Kind>(client: client, name: name, namespace: scope, limit: timeout)
                    try await waiting.wait(
                        "gone",
                        until: { object in
                            guard let object, object.metadata.uid == uid else { return nil }
                            return object.deletionProgress ?? "its deletion has begun"
                        })
                }
                Terminal.writeLine("\(Rendering.name(Kind.self, name)) \(wait ? "deleted" : "is being deleted")")
            }
            guard failures.isEmpty else { throw CommandFailure(failures.joined(separator: "\n")) }
        }
    }
}
