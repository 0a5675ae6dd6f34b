import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

/// Reads what a person would look at who has to find out what is wrong with a tenant's cluster, and goes on where something cannot be read.
struct Dump: Sendable {
    let client: KubernetesClient
    let folder: DumpFolder
    let operatorNamespace: String
    /// Lines of each log.
    let tail: Int
    let progress: @Sendable (String) -> Void

    /// Of each log, and of everything that a single request may bring.
    private static let mostOfALog = 1 << 20
    private static let pageSize = 500
    private static let mostPages = 20

    /// - Parameters:
    ///   - clusters: whose parts are read.
    ///   - hasAllMachines: whether also those are shown that none of them holds.
    func run(_ clusters: [HostedCluster], hasAllMachines: Bool) async throws {
        progress("reading the host")
        await versions()
        try await readSecrets(of: clusters)
        for list in DumpSources.host { folder.write(try await read(list, nil), to: "host/\(list.file)") }
        try await namespace(operatorNamespace, folder: "operators", metricsPort: 8080)
        try await machines(of: hasAllMachines ? nil : Set(clusters.compactMap(\.metadata.uid)))
        for cluster in clusters { try await self.cluster(cluster) }
    }

    /// Says that the time was over, and what is not good in what was read.
    func finish(_ clusters: [HostedCluster], isComplete: Bool) {
        if !isComplete { folder.miss("the rest", "the time was over (--timeout)") }
        folder.write(DumpSummary.text(clusters, missing: folder.missing.count, now: Date()), to: "summary.txt")
        let missing = folder.missing
        if !missing.isEmpty { folder.write(missing.joined(separator: "\n") + "\n", to: "missing.txt") }
    }

    private func versions() async {
        var text = "nestbox \(ProductVersion.current)\n"
        do {
            text += "host \(try await client.serverVersion())\n"
        } catch {
            folder.miss("the host's version", "\(error)")
        }
        folder.write(text, to: "versions.txt")
    }

    // MARK: Objects

    /// All Secrets of all namespaces that are read, before anything is written that might hold what they hold.
    private func readSecrets(of clusters: [HostedCluster]) async throws {
        var namespaces = [operatorNamespace]
        for cluster in clusters { namespaces += [cluster.namespace, cluster.status?.controlPlaneNamespace].compactMap(\.self) }
        for namespace in Set(namespaces).sorted() { folder.learn(from: try await read(DumpSources.secrets, namespace)) }
    }

    private func namespace(_ namespace: String, folder name: String, metricsPort: Int?) async throws {
        progress("reading \(namespace)")
        if let object = try await one("/api/v1/namespaces/\(namespace)") { folder.write([object], to: "\(name)/namespace.yaml") }
        folder.write(try await read(DumpSources.secrets, namespace), to: "\(name)/secrets.yaml")
        for list in DumpSources.inside {
            let objects = try await read(list, namespace)
            folder.write(objects, to: "\(name)/\(list.file)")
            guard list.resource == "pods" else { continue }
            for pod in objects { try await logs(of: pod, namespace: namespace, folder: name) }
            guard let metricsPort else { continue }
            for pod in objects {
                try await page("metrics", port: metricsPort, of: pod, namespace: namespace, file: "\(name)/metrics")
            }
        }
    }

    private func cluster(_ cluster: HostedCluster) async throws {
        let (namespace, name) = (cluster.namespace ?? "default", "\(cluster.namespace ?? "default")_\(cluster.name)")
        let path = "/apis/nestbox.dev/v1alpha1/namespaces/\(namespace)/hostedclusters/\(cluster.name)"
        if let object = try await one(path) { folder.write([object], to: "\(name)/hostedcluster.yaml") }
        let pools = try await read(DumpSources.pools, namespace).filter { $0["spec"]?["clusterName"]?.string == cluster.name }
        folder.write(pools, to: "\(name)/nodepools.yaml")
        let own = Set(([cluster.metadata.uid] + pools.map { $0["metadata"]?["uid"]?.string }).compactMap(\.self))
        let events = try await read(DumpSources.events, namespace).filter {
            own.contains($0["involvedObject"]?["uid"]?.string ?? "")
        }
        folder.write(events, to: "\(name)/events.yaml")
        guard let controlPlane = cluster.status?.controlPlaneNamespace else {
            return folder.miss("\(name)/control-plane", "the cluster has no control-plane namespace yet")
        }
        try await self.namespace(controlPlane, folder: "\(name)/control-plane", metricsPort: nil)
        for pod in try await read(DumpSources.inside[0], controlPlane)
        where pod["metadata"]?["labels"]?["nestbox.dev/component"] == "control-plane" {
            try await page("agents", port: 8134, of: pod, namespace: controlPlane, file: "\(name)/control-plane/tunnel-agents")
        }
    }

    /// - Parameter clusters: UIDs of those whose Machines are shown; nil for all.
    private func machines(of clusters: Set<String>?) async throws {
        progress("reading machines")
        let machines = try await read(DumpSources.machines, nil).filter { machine in
            clusters?.contains(machine["status"]?["claim"]?["hostedClusterUID"]?.string ?? "") ?? true
        }
        folder.write(machines, to: "machines/machines.yaml")
        let uids = Set(machines.compactMap { $0["metadata"]?["uid"]?.string })
        // A Machine has no namespace; its events are in "default".
        let events = try await read(DumpSources.events, "default").filter { uids.contains($0["involvedObject"]?["uid"]?.string ?? "") }
        folder.write(events, to: "machines/events.yaml")
    }

    // MARK: Requests

    /// The objects of a list; none where they cannot be read, which is said.
    private func read(_ list: DumpSources.List, _ namespace: String?) async throws -> [JSONValue] {
        var objects: [JSONValue] = []
        for path in list.paths(namespace: namespace) {
            var next: String?
            for _ in 0..<Self.mostPages {
                let query = [("limit", "\(Self.pageSize)")] + (next.map { [("continue", $0)] } ?? [])
                guard let answer = try await ask(path, query, isLast: path == list.paths(namespace: namespace).last),
                    let page = try? JSONDecoder().decode(JSONValue.self, from: Data(answer))
                else { break }
                // Lists leave out of what kind their items are.
                let kind = page["kind"]?.string?.replacingOccurrences(of: "List", with: "")
                objects += (page["items"]?.array ?? []).map { item in
                    var item = item
                    item["kind"] = item["kind"] ?? kind.map { .string($0) }
                    item["apiVersion"] = item["apiVersion"] ?? page["apiVersion"]
                    return item
                }
                next = page["metadata"]?["continue"]?.string.flatMap { $0.isEmpty ? nil : $0 }
                guard next != nil else { return objects }
            }
            if next != nil { folder.miss(path, "there are more than \(objects.count); the others are left out") }
        }
        return objects
    }

    private func one(_ path: String) async throws -> JSONValue? {
        try await ask(path).flatMap { try? JSONDecoder().decode(JSONValue.self, from: Data($0)) }
    }

    private func logs(of pod: JSONValue, namespace: String, folder name: String) async throws {
        guard let podName = pod["metadata"]?["name"]?.string else { return }
        for container in DumpedContainer.all(of: pod) {
            for isPrevious in container.hasPrevious ? [false, true] : [false] {
                let query = [
                    ("container", container.name), ("tailLines", "\(tail)"), ("limitBytes", "\(Self.mostOfALog)"), ("timestamps", "true"),
                    ("previous", "\(isPrevious)"),
                ]
                guard let text = try await ask("/api/v1/namespaces/\(namespace)/pods/\(podName)/log", query), !text.isEmpty else {
                    continue
                }
                let file = "\(name)/logs/\(podName)_\(container.name)\(isPrevious ? ".previous" : "").log"
                let log = AuditEvents.removed(from: String(decoding: text, as: UTF8.self))
                if log.count > 0 {
                    folder.miss(file, "\(log.count) lines with audit events are left out: they hold what the tenant's objects hold")
                }
                folder.write(log.text, to: file)
            }
        }
    }

    /// What a pod serves by HTTP to those who know its port, through the API server.
    private func page(_ path: String, port: Int, of pod: JSONValue, namespace: String, file: String) async throws {
        guard let name = pod["metadata"]?["name"]?.string, pod["status"]?["phase"] == "Running" else { return }
        guard let text = try await ask("/api/v1/namespaces/\(namespace)/pods/\(name):\(port)/proxy/\(path)") else { return }
        folder.write(String(decoding: text, as: UTF8.self), to: "\(file)/\(name).txt")
    }

    /// The answer's body; nil when there is none to be had, which is said.
    private func ask(_ path: String, _ query: [(String, String)] = [], isLast: Bool = true) async throws -> [UInt8]? {
        do {
            let answer = try await client.raw(.get, path: path, query: query)
            if (200...299).contains(answer.status) { return answer.body }
            guard isLast || answer.status != 404 else { return nil }
            let status = try? JSONDecoder().decode(Status.self, from: Data(answer.body))
            let words = status?.message ?? String(decoding: answer.body.prefix(300), as: UTF8.self)
            folder.miss(([path] + query.filter { $0.0 == "container" }.map(\.1)).joined(separator: " "), "HTTP \(answer.status): \(words)")
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            folder.miss(path, "\(error)")
        }
        return nil
    }
}
