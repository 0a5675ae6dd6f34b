import ArgumentParser
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI

struct RolloutTarget: ParsableArguments {
    @Argument(help: "The pool's name.", completion: NameCompletion.names(of: NodePool.self)) var name: String
    @OptionGroup var connection: Connection

    /// Changes the pool as it is now and says what was done.
    func patch(_ done: String, _ change: (NodePool) throws -> JSONValue?) async throws {
        try await connection.run { client, namespace in
            let pool = try await client.get(NodePool.self, name, namespace: namespace)
            guard let patch = try change(pool) else { return }
            _ = try await client.patch(NodePool.self, name, namespace: namespace, merge: patch)
            Terminal.writeLine("\(Rendering.name(NodePool.self, name)) \(done)")
        }
    }
}

struct RolloutStatusOfNodePool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodepool", abstract: "Show how the rollout of a pool's nodes goes, until it is over.",
        discussion: """
            Ends with 1 when the rollout stopped at a machine that did not become ready, or was paused.

            Examples:
              nestbox rollout status nodepool workers
              nestbox rollout status nodepool workers --no-watch
            """, aliases: NodePool.noun.aliases)

    @OptionGroup var target: RolloutTarget
    @Flag(name: [.short, .long], inversion: .prefixedNo, help: "Watch until it is over.") var watch = true
    @Option(help: ArgumentHelp("How long to watch: seconds, or 90s, 10m.", valueName: "time")) var timeout = WaitLimit(seconds: 3600)

    func run() async throws {
        try await target.connection.run { client, namespace in
            let name = target.name
            if watch {
                try await Waiting<NodePool>(client: client, name: name, namespace: namespace, limit: timeout)
                    .wait("rolled out", whileThere: { pool in try Self.missing(pool) })
            } else if let missing = try Self.missing(try await client.get(NodePool.self, name, namespace: namespace)) {
                return Terminal.writeLine("Waiting for node pool \"\(name)\" to be rolled out: \(missing)")
            }
            Terminal.writeLine("node pool \"\(name)\" successfully rolled out")
        }
    }

    private static func missing(_ pool: NodePool) throws -> String? {
        switch RolloutProgress(pool) {
        case .done: nil
        case .waiting(let words): words
        case .stopped(let words): throw CommandFailure("the rollout of node pool \(pool.name) has stopped: \(words)")
        }
    }
}

struct RolloutHistoryOfNodePool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodepool", abstract: "Show the last templates of a pool's nodes, the newest last.",
        discussion: "Example:\n  nestbox rollout history nodepool workers", aliases: NodePool.noun.aliases)

    @OptionGroup var target: RolloutTarget

    func run() async throws {
        try await target.connection.run { client, namespace in
            let pool = try await client.get(NodePool.self, target.name, namespace: namespace)
            let rows = (pool.status?.history ?? []).map { entry in
                [
                    String(entry.number), entry.revision, entry.version.description,
                    entry.nodeConfiguration.map { $0.keys.sorted().joined(separator: ",") } ?? "", Rendering.age(entry.createdAt),
                ]
            }
            Terminal.write(Rendering.table([["REVISION", "HASH", "VERSION", "CONFIGURES", "AGE"]] + rows))
        }
    }
}

struct RolloutPauseOfNodePool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodepool", abstract: "Leave a pool's nodes of older templates as they are; new nodes are of the newest.",
        discussion: "Example:\n  nestbox rollout pause nodepool workers", aliases: NodePool.noun.aliases)

    @OptionGroup var target: RolloutTarget

    func run() async throws {
        try await target.patch("paused") { pool in
            guard pool.spec?.upgrade?.paused != true else { throw CommandFailure("node pool \(pool.name) is paused already") }
            return ["spec": ["upgrade": ["paused": .bool(true)]]]
        }
    }
}

struct RolloutResumeOfNodePool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodepool", abstract: "Go on with a rollout that was paused, or that a machine's failure has stopped.",
        discussion: """
            What failed so far is forgiven: the machine is given its time again.

            Example:
              nestbox rollout resume nodepool workers
            """, aliases: NodePool.noun.aliases)

    @OptionGroup var target: RolloutTarget

    func run() async throws {
        try await target.patch("resumed") { pool in
            guard pool.isRolloutPaused else { throw CommandFailure("node pool \(pool.name) is not paused") }
            // By the operator's clock, should this computer's be behind it.
            let stopped = pool.conditions?.named("RolloutPaused").flatMap { Timestamp.parse($0.lastTransitionTime) } ?? .distantPast
            let now = max(Date(), stopped.addingTimeInterval(1))
            return [
                "metadata": ["annotations": [NodePoolAnnotation.resumedAt: .string(Timestamp.format(now))]],
                "spec": ["upgrade": ["paused": .bool(false)]],
            ]
        }
    }
}

struct RolloutUndoOfNodePool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodepool", abstract: "Put the previous version and node configuration back into a pool's spec.",
        discussion: """
            Examples:
              nestbox rollout undo nodepool workers
              nestbox rollout undo nodepool workers --to-revision 3
            """, aliases: NodePool.noun.aliases)

    @OptionGroup var target: RolloutTarget
    @Option(help: "The number of a template in the pool's history; the one before unless given.") var toRevision: Int?

    func run() async throws {
        try await target.patch("rolled back") { pool in
            guard pool.spec?.upgrade?.paused != true else {
                throw CommandFailure(
                    "node pool \(pool.name) is paused, and would not be rolled back: first nestbox rollout resume nodepool \(pool.name)")
            }
            let earlier = try pool.earlierRevision(toRevision)
            guard let patch = try pool.patch(backTo: earlier) else {
                Terminal.writeLine(
                    "\(Rendering.name(NodePool.self, pool.name)) skipped rollback (its template is that of revision \(earlier.number) already)"
                )
                return nil
            }
            return patch
        }
    }
}
