import KubernetesAPI
import KubernetesClient
import Logging

/// A constant load on a cluster's API: ConfigMaps are listed, watched, created and counted up, each some times a second.
///
/// Its client is Nestbox's own, with its own retries: up to five attempts, within some three seconds, for what may be repeated and for
/// what certainly did not reach the server; a creation that broke off is not repeated. What fails after that is counted.
public struct Load: Sendable {
    public static let namespace = "default"
    private static let label = "nestbox.dev/load"
    private static let counters = ["counter-0", "counter-1"]

    private let client: KubernetesClient
    private let log: LoadLog

    public init(client: KubernetesClient, log: LoadLog) {
        self.client = client
        self.log = log
    }

    /// A client's configuration as the load has it.
    public static func configuration(kubeconfig path: String) throws -> ClientConfiguration {
        var configuration = try ClientConfiguration.kubeconfig(path: path)
        configuration.timeouts.connect = .seconds(5)
        configuration.timeouts.request = .seconds(15)
        return configuration
    }

    /// Until it is cancelled.
    public func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for counter in Self.counters { group.addTask { try await count(counter) } }
            group.addTask { try await create() }
            group.addTask { try await list() }
            group.addTask { try await watch() }
        }
    }

    /// What was acknowledged and is not there: the ledger, read back. The load may go on meanwhile.
    public func lost() async throws -> [String] {
        let before = await log.ledger
        let all = try await client.list(ConfigMap.self, namespace: Self.namespace, labels: Self.label).items
        let found = all.filter { Self.counters.contains($0.name) }.compactMap { map in Self.value(map).map { (map.name, $0) } }
        let ledger = await log.ledger
        let contradictions = await log.contradictions
        return contradictions
            + ledger.lost(counters: Dictionary(found, uniquingKeysWith: { $1 }), created: Set(all.map(\.name)), since: before)
    }

    // MARK: The verbs

    private func count(_ name: String) async throws {
        var known: ConfigMap?
        while true {
            do {
                let current: ConfigMap
                if let known { current = known } else { current = try await counter(name) }
                let next = (Self.value(current) ?? 0) + 1
                var changed = current
                changed.data = ["n": "\(next)"]
                await log.tried(name, next)
                known = try await client.update(changed)
                await log.wrote(name, next)
            } catch let error as KubernetesError where error.isConflict {
                // A write of ours that nobody confirmed had arrived.
                known = nil
            } catch {
                try Task.checkCancellation()
                known = nil
                await log.failed(.update, error)
            }
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private func counter(_ name: String) async throws -> ConfigMap {
        if let present = try await client.find(ConfigMap.self, name, namespace: Self.namespace) {
            await log.read(name, Self.value(present))
            return present
        }
        await log.read(name, nil)
        return try await client.create(object(name))
    }

    private func create() async throws {
        var number = 0
        while true {
            number += 1
            try await create("item-\(number)")
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Until it is there: who does not know whether it came to be asks again.
    private func create(_ name: String) async throws {
        while true {
            do {
                _ = try await client.create(object(name))
                return await log.created(name)
            } catch let error as KubernetesError where error.isAlreadyExists {
                return await log.created(name)
            } catch {
                try Task.checkCancellation()
                await log.failed(.create, error)
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    private func list() async throws {
        while true {
            let before = await log.ledger
            do {
                for map in try await client.list(ConfigMap.self, namespace: Self.namespace, labels: "\(Self.label)=counter").items {
                    await log.read(map.name, Self.value(map), since: before)
                }
                await log.succeeded(.list)
            } catch {
                try Task.checkCancellation()
                await log.failed(.list, error)
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Every event is a success: the counters go up all the time. One that ends is begun again, from a list when its version is gone; it
    /// has failed when it cannot be begun again.
    private func watch() async throws {
        var version: String?
        var isBroken = false
        while true {
            do {
                let since: String
                if let version {
                    since = version
                } else {
                    let list = try await client.list(ConfigMap.self, namespace: Self.namespace, labels: "\(Self.label)=counter")
                    since = list.metadata.resourceVersion ?? ""
                }
                version = since
                for try await event in client.watch(
                    ConfigMap.self, namespace: Self.namespace, labels: "\(Self.label)=counter", resourceVersion: since)
                {
                    version = event.resourceVersion ?? version
                    isBroken = false
                    await log.succeeded(.watch)
                }
            } catch let error as KubernetesError where error.isExpired {
                version = nil
            } catch {
                try Task.checkCancellation()
                if isBroken { await log.failed(.watch, error) }
                isBroken = true
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    private func object(_ name: String) -> ConfigMap {
        ConfigMap(
            metadata: ObjectMeta(
                name: name, namespace: Self.namespace, labels: [Self.label: Self.counters.contains(name) ? "counter" : "item"]),
            data: ["n": "0"])
    }

    private static func value(_ map: ConfigMap) -> Int? { map.data?["n"].flatMap { Int($0) } }
}
