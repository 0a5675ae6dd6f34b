import ArgumentParser
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import UnixSignals

struct DebugDump: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump", abstract: "Read a cluster's objects, events and logs into one file, without its secrets.",
        discussion: """
            The HostedCluster with its node pools and machines, what stands in its control-plane namespace and in the operators', and the \
            logs of their containers. It reads only. Of a Secret there are the names of its keys and what its certificates say; private \
            keys, tokens, passwords and every value of a Secret are taken out of everything else. What could not be read is listed in \
            missing.txt. Ctrl-C leaves nothing behind.

            Examples:
              nestbox debug dump cluster demo
              nestbox debug dump cluster demo -n team-a -o demo.tar.gz --tail 500
              nestbox debug dump --all -o /var/tmp/fleet
            """)

    enum Noun: String, ExpressibleByArgument, CaseIterable {
        case cluster, clusters, hostedcluster, hostedclusters
    }

    @Argument(help: ArgumentHelp("cluster", valueName: "kind")) var noun: Noun?
    @Argument(help: "Its name.", completion: NameCompletion.names(of: HostedCluster.self)) var name: String?
    @Flag(help: "Every cluster of every namespace, and all machines.") var all = false
    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp(
            "A file that ends in .tar.gz, or a folder to be made; a file with the cluster's name and the time, here, unless given.",
            valueName: "path"), completion: .file())
    var output: String?
    @Option(help: "How many of the last lines of each log.") var tail: Int = 2000
    @Option(help: ArgumentHelp("After this long what was read is enough: seconds, or 90s, 10m.", valueName: "time"))
    var timeout = WaitLimit(seconds: 300)
    @OptionGroup var operators: OperatorNamespace
    @OptionGroup var connection: Connection

    /// Of all files together.
    private static let mostBytes = 200 << 20

    func validate() throws {
        guard all != (noun != nil) else { throw ValidationError("name a cluster (nestbox debug dump cluster NAME), or say --all") }
        guard all || name != nil else { throw ValidationError("which cluster? nestbox debug dump cluster NAME") }
        guard (1...100_000).contains(tail) else { throw ValidationError("--tail must be 1 to 100000") }
    }

    func run() async throws {
        let target = try DumpTarget(output ?? Self.defaultOutput(all ? "all" : name ?? "", now: Date()))
        defer { target.removeWork() }
        let (line, limit) = (LiveLine(), timeout.duration)
        // Before there is anything to be left behind.
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let (isOver, missing) = try await connection.run { client, namespace in
            let clusters =
                all
                ? try await client.list(HostedCluster.self).items.sorted { $0.key < $1.key }
                : [try await client.get(HostedCluster.self, name ?? "", namespace: namespace)]
            let folder = try DumpFolder(path: target.folder, most: Self.mostBytes)
            let dump = Dump(client: client, folder: folder, operatorNamespace: operators.name, tail: tail) { line.show($0) }
            let hasAllMachines = all
            let isOver = try await Self.until(signals) {
                let isComplete = try await Self.within(limit) { try await dump.run(clusters, hasAllMachines: hasAllMachines) }
                dump.finish(clusters, isComplete: isComplete)
                line.show("packing")
                try await target.finish()
            }
            return (isOver, folder.missing.count)
        }
        line.clear()
        guard isOver else {
            Terminal.say("interrupted: nothing is left behind")
            throw ExitCode.interrupted
        }
        if missing > 0 { Terminal.say("\(missing) things could not be read: missing.txt") }
        Terminal.writeLine(target.output)
    }

    static func defaultOutput(_ name: String, now: Date) -> String {
        let stamp = Timestamp.format(now).filter { $0 != "-" && $0 != ":" }
        return "nestbox-debug-\(name)-\(stamp).tar.gz"
    }

    /// Whether `body` was over before the time was; cancelled, else.
    private static func within(_ limit: Duration, _ body: @escaping @Sendable () async throws -> Void) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return false
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }

    /// Whether `body` was over before somebody typed Ctrl-C or asked the process to end.
    private static func until(_ signals: UnixSignalsSequence, _ body: @escaping @Sendable () async throws -> Void) async throws -> Bool {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                for await _ in signals { return false }
                throw CancellationError()
            }
            defer { group.cancelAll() }
            return try await group.next() ?? false
        }
    }
}
