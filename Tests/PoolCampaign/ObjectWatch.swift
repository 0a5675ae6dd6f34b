import Foundation
import TestCommands

/// Watches one kind of objects with kubectl, anew when a watch ends, until it is cancelled.
struct ObjectWatch<Object: Watched>: Sendable {
    let commands: CommandRun
    let path: String

    private struct List: Decodable {
        struct Meta: Decodable { var resourceVersion: String }
        var metadata: Meta
        var items: [Object]
    }

    private struct Event: Decodable {
        var type: String
        var object: Object
    }

    /// - Parameters:
    ///   - seen: an object that is new or changed.
    ///   - gone: one that is no more, by its key.
    func run(
        seen: @escaping @Sendable (Object.Seen) async -> Void, gone: @escaping @Sendable (String) async -> Void
    ) async throws {
        let known = Known()
        while true {
            // An API that does not answer is asked again; what happened meanwhile is in the next list.
            do { try await once(known, seen: seen, gone: gone) } catch { try Task.checkCancellation() }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    private actor Known {
        var keys: Set<String> = []
        func replace(by new: Set<String>) -> Set<String> {
            defer { keys = new }
            return keys.subtracting(new)
        }
        func insert(_ key: String) { keys.insert(key) }
        func remove(_ key: String) { keys.remove(key) }
    }

    private func once(
        _ known: Known, seen: @escaping @Sendable (Object.Seen) async -> Void, gone: @escaping @Sendable (String) async -> Void
    ) async throws {
        let list = try JSONDecoder().decode(List.self, from: Data(try await commands.kubectl("get", "--raw", path).utf8))
        for key in await known.replace(by: Set(list.items.map(\.key))) { await gone(key) }
        for item in list.items { await seen(item.seen) }
        let query = "\(path)?watch=1&timeoutSeconds=1800&resourceVersion=\(list.metadata.resourceVersion)"
        try await commands.eachLine(commands.kubectl, ["get", "--raw", query]) { line in
            guard !line.isEmpty else { return }
            // Another kind of event, as of a resource version that is too old, is no object and ends the watch.
            let event = try JSONDecoder().decode(Event.self, from: Data(line.utf8))
            if event.type == "DELETED" {
                await known.remove(event.object.key)
                await gone(event.object.key)
            } else {
                await known.insert(event.object.key)
                await seen(event.object.seen)
            }
        }
    }
}
