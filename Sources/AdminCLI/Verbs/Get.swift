import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List clusters, node pools or machines.",
        discussion: """
            Examples:
              nestbox get clusters -A
              nestbox get nodepools -o wide
              nestbox get machines -w
            """,
        subcommands: [GetObjects<HostedCluster>.self, GetObjects<NodePool>.self, GetObjects<Machine>.self])
}

/// `get` for any kind: lists, prints in the format asked for, and goes on watching when told to.
struct GetObjects<Kind: AdminKind>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        let noun = Kind.noun
        let scope = Kind.resourceType.namespaced ? " -A" : ""
        return CommandConfiguration(
            commandName: noun.plural, abstract: "List \(noun.title)s.",
            discussion: """
                Examples:
                  nestbox get \(noun.plural)\(scope) -o wide
                  nestbox get \(noun.plural) -w -l env=prod
                  nestbox get \(noun.singular) \(noun.example) -o yaml
                """,
            aliases: [noun.singular] + noun.aliases)
    }

    @Argument(help: "Only these.", completion: NameCompletion.names(of: Kind.self)) var names: [String] = []
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: Connection

    func validate() throws {
        guard !names.isEmpty else { return }
        if output.selector != nil { throw ValidationError("give names or a selector, not both") }
        if output.allNamespaces { throw ValidationError("a name is one namespace's: give it without --all-namespaces") }
        if output.watch, names.count > 1 { throw ValidationError("watch one object, or all: give one name with --watch") }
    }

    func run() async throws {
        try await connection.run { client, namespace in
            let scope = Kind.resourceType.namespaced && !output.allNamespaces ? namespace : nil
            if output.watch {
                try await watch(client, scope)
            } else if names.isEmpty {
                let items = try await client.list(Kind.self, namespace: scope, labels: output.selector).items
                if items.isEmpty { Terminal.say(Self.nothing(in: scope)) }
                try ObjectPrinter(output, columns: Kind.columns).print(items, asList: true)
            } else {
                try await named(client, scope)
            }
        }
    }

    /// Those that are there are shown even when one is not.
    private func named(_ client: KubernetesClient, _ scope: String?) async throws {
        var found: [Kind] = []
        var failures: [any Error] = []
        for name in names {
            do {
                found.append(try await client.get(Kind.self, name, namespace: scope))
            } catch let error as KubernetesError where error.isNotFound {
                failures.append(error)
            }
        }
        try ObjectPrinter(output, columns: Kind.columns).print(found, asList: names.count > 1)
        for failure in failures.dropLast() { Terminal.say(CommandFailure.presentation(of: failure)?.text ?? "\(failure)") }
        if let last = failures.last { throw last }
    }

    private func watch(_ client: KubernetesClient, _ scope: String?) async throws {
        let printer = ObjectPrinter(output, columns: Kind.columns)
        // What was shown, so that listing again after a gap shows only what changed in it.
        var shown: [String: String] = [:]
        var isFirst = true
        try await Following<Kind>(client: client, namespace: scope, labels: output.selector, name: names.first).run { sighting in
            switch sighting {
            case .listed(let items):
                if isFirst, items.isEmpty {
                    guard names.isEmpty else { throw try await Self.missing(names[0], scope, client) }
                    Terminal.say(Self.nothing(in: scope))
                }
                isFirst = false
                let news = items.filter { shown[$0.key] != $0.metadata.resourceVersion }
                shown = Dictionary(items.map { ($0.key, $0.metadata.resourceVersion ?? "") }, uniquingKeysWith: { $1 })
                try printer.print(news, asList: false)
            case .changed(let item):
                shown[item.key] = item.metadata.resourceVersion
                try printer.print([item], asList: false)
            case .deleted(let item):
                shown[item.key] = nil
                try printer.print([item], asList: false)
            case .unreadable(let object):
                Terminal.say("warning: \(object.name ?? "an object") is not shown, for this nestbox cannot read it: \(object.reason)")
            case .interrupted(let error):
                Terminal.say("warning: \(error); trying again")
            }
            return true
        }
    }

    private static func missing(_ name: String, _ scope: String?, _ client: KubernetesClient) async throws -> any Error {
        do {
            _ = try await client.get(Kind.self, name, namespace: scope)
            return CommandFailure("\(Kind.noun.title) \(name) came only now: try again")
        } catch { return error }
    }

    private static func nothing(in scope: String?) -> String {
        "No \(Kind.noun.title)s found" + (scope.map { " in namespace \($0)." } ?? ".")
    }
}
