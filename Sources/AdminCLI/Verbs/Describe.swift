import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct Describe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show an object with its conditions and events.",
        discussion: """
            Examples:
              nestbox describe cluster demo
              nestbox describe machine worker-1
            """,
        subcommands: [DescribeObject<HostedCluster>.self, DescribeObject<NodePool>.self, DescribeObject<Machine>.self])
}

struct DescribeObject<Kind: AdminKind>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        let noun = Kind.noun
        return CommandConfiguration(
            commandName: noun.singular, abstract: "Show a \(noun.title) with its conditions and events.",
            discussion: "Example:\n  nestbox describe \(noun.singular) \(noun.example)", aliases: [noun.plural] + noun.aliases)
    }

    @Argument(help: "Its name; may be several.", completion: NameCompletion.names(of: Kind.self)) var names: [String]
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, namespace in
            for (index, name) in names.enumerated() {
                let object = try await client.get(Kind.self, name, namespace: Kind.resourceType.namespaced ? namespace : nil)
                let (sections, events) = (try await object.sections(with: client), try await client.events(of: object))
                Terminal.write((index == 0 ? "" : "\n") + Description.text(of: object, sections: sections, events: events))
            }
        }
    }
}

/// The text of `describe`.
enum Description {
    static func text<Kind: AdminKind>(of object: Kind, sections: [DescribedSection], events: [Event]) -> String {
        let metadata: [(String, String?)] = [
            ("Name", object.name), ("Namespace", object.namespace), ("Labels", pairs(object.metadata.labels)),
            ("Annotations", pairs(object.metadata.annotations)), ("Age", Rendering.age(object.metadata.creationTimestamp)),
            ("Deleted", object.metadata.deletionTimestamp.map { "\(Rendering.age($0)) ago: \(object.deletionProgress ?? "it goes on")" }),
        ]
        let lines = (metadata + object.details.map { ($0.heading, $0.value) }).compactMap { heading, value in
            value.flatMap { $0.isEmpty ? nil : ["\(heading):", $0] }
        }
        var text = Rendering.table(lines)
        for section in sections where section.rows.count > 1 { text += titled(section) }
        if let conditions = object.conditions, !conditions.isEmpty {
            let rows = conditions.map { [$0.type, $0.status, $0.reason, Rendering.age($0.lastTransitionTime), $0.message] }
            text += titled(DescribedSection(title: "Conditions", rows: [["TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"]] + rows))
        }
        guard !events.isEmpty else { return text + "Events: none\n" }
        let rows = events.map { [Rendering.age($0.latest), $0.type ?? "", $0.reason ?? "", $0.counted] }
        return text + titled(DescribedSection(title: "Events", rows: [["AGE", "TYPE", "REASON", "MESSAGE"]] + rows))
    }

    private static func titled(_ section: DescribedSection) -> String {
        "\(section.title):\n" + Rendering.table(section.rows, indent: 2)
    }

    static func pairs(_ pairs: [String: String]?) -> String? {
        pairs.map { $0.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ") }
    }
}

extension Event {
    /// When it happened last, however its author counts.
    fileprivate var latest: String? { series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp }

    fileprivate var counted: String {
        let times = series?.count ?? count ?? 1
        return (message ?? "") + (times > 1 ? " (\(times) times)" : "")
    }
}

extension KubernetesClient {
    /// The events of an object, oldest first; none where they may not be read. A cluster-scoped object's are in namespace `default`.
    fileprivate func events(of object: some KubernetesObject) async throws -> [Event] {
        let fields = "involvedObject.uid=\(object.metadata.uid ?? "")"
        do {
            let list = try await list(Event.self, namespace: object.namespace ?? "default", fields: fields)
            return list.items.sorted { ($0.latest ?? "") < ($1.latest ?? "") }
        } catch let error as KubernetesError where error.isForbidden {
            Terminal.say("warning: \(error)")
            return []
        }
    }
}
