import ArgumentParser
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import Synchronization

struct UpgradeCluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Move a cluster's control plane to another Kubernetes version, or to another release of Nestbox.",
        discussion: """
            The operator looks first whether the cluster is fit for it: its nodes, its etcd, its certificates, and what its clients ask \
            for. Node pools that name a version stay as they are; one that names none follows. An upgrade that fails leaves the old version \
            serving, and can be taken back with --to and the old version until a replica of the new one has served.

            Examples:
              nestbox upgrade cluster demo --to v1.21.0 --check
              nestbox upgrade cluster demo --to v1.21.0 --wait
              nestbox upgrade cluster demo --release v0.2.0
            """, aliases: HostedCluster.noun.aliases)

    @Argument(help: "The cluster's name.", completion: NameCompletion.names(of: HostedCluster.self)) var name: String
    @Option(help: "The Kubernetes version, such as v1.21.0.") var to: KubernetesVersion?
    @Option(help: "The release of Nestbox that renders it.", completion: .list(TemplateRevision.allCases.map(\.release)))
    var release: String?
    @Flag(help: "Only look, and show what was found.") var check = false
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var connection: Connection

    func validate() throws {
        guard to != nil || release != nil else { throw ValidationError("--to, --release or both are needed") }
        guard !(check && waiting.wait) else { throw ValidationError("--check begins nothing that --wait could wait for") }
    }

    func run() async throws {
        try await connection.run { client, namespace in
            let cluster = try await client.get(HostedCluster.self, name, namespace: namespace)
            try refuse(cluster)
            let checks = try await ask(client, namespace)
            if check {
                Terminal.write(
                    Rendering.table(
                        [["CHECK", "RESULT", "MESSAGE"]] + checks.map { [$0.name, $0.result.rawValue, Rendering.oneLine($0.message)] }))
            }
            if let refusal = checks.refusal { throw CommandFailure("cluster \(name) is not upgraded: \(Rendering.oneLine(refusal))") }
            guard !check else { return }
            if let warning = checks.warning { Terminal.say("Warning: \(Rendering.oneLine(warning))") }
            try await begin(client, namespace)
        }
    }

    /// What no look at the cluster is needed for.
    private func refuse(_ cluster: HostedCluster) throws {
        var changed = cluster
        changed.spec?.version = to ?? cluster.spec?.version
        changed.spec?.release = release ?? cluster.spec?.release
        if let problem = changed.validate().first { throw CommandFailure("cluster \(name) is not upgraded: \(problem)") }
        guard let path = cluster.upgradePath else { return }
        let target = path.accepted.changed(version: to, release: release)
        if let refusal = path.refusal(of: target) { throw CommandFailure("cluster \(name) is not upgraded: \(refusal.message)") }
    }

    /// What the operator says.
    private func ask(_ client: KubernetesClient, _ namespace: String?) async throws -> [UpgradeCheck] {
        let id = UUID().uuidString.lowercased()
        let request = UpgradeRequest(id: id, version: to, release: release)
        _ = try await client.patch(
            HostedCluster.self, name, namespace: namespace,
            merge: ["metadata": ["annotations": [UpgradeRequest.annotation: .string(try request.annotationText)]]])
        let heard = Mutex<UpgradeAnswer?>(nil)
        try await Waiting<HostedCluster>(client: client, name: name, namespace: namespace, limit: waiting.timeout)
            .wait(
                "looked at",
                whileThere: { cluster in
                    guard let answer = cluster.status?.upgradeCheck, answer.id == id else { return "the operator has not answered yet" }
                    heard.withLock { $0 = answer }
                    return nil
                })
        return heard.withLock { $0?.checks ?? [] }
    }

    private func begin(_ client: KubernetesClient, _ namespace: String?) async throws {
        var spec: [String: JSONValue] = [:]
        if let to { spec["version"] = .string("\(to)") }
        if let release { spec["release"] = .string(release) }
        let cluster = try await client.patch(HostedCluster.self, name, namespace: namespace, merge: ["spec": .object(spec)])
        Terminal.writeLine("\(Rendering.name(HostedCluster.self, name)) upgrading")
        guard waiting.wait, let wanted = cluster.spec?.version else { return }
        try await Waiting<HostedCluster>(client: client, name: name, namespace: namespace, limit: waiting.timeout)
            .wait(
                "upgraded",
                whileThere: { [release, name] cluster in
                    switch UpgradeProgress(cluster, to: wanted, release: release) {
                    case .done: return nil
                    case .waiting(let words): return words
                    case .stopped(let words): throw CommandFailure("the upgrade of cluster \(name) has stopped: \(words)")
                    }
                })
    }
}

/// How an upgrade goes, by what the operator says.
enum UpgradeProgress: Equatable {
    case waiting(String)
    /// A person has to say how to go on.
    case stopped(String)
    case done

    init(_ cluster: HostedCluster, to version: KubernetesVersion, release: String?) {
        let conditions = cluster.status?.conditions ?? []
        let latest = cluster.status?.latestVersion
        if cluster.status?.observedGeneration != cluster.metadata.generation {
            self = .waiting("its new spec is not looked at yet")
        } else if let invalid = conditions.named("ValidConfiguration"), invalid.status == "False" {
            self = .stopped("its spec is refused: \(invalid.message)")
        } else if let ready = conditions.named("UpgradeReady"), ready.reason == "ChecksFailed" {
            self = .stopped(ready.message)
        } else if let progressing = conditions.named("Progressing"), progressing.reason == "UpgradeStopped" {
            self = .stopped(progressing.message)
        } else if latest?.version == version, release == nil || latest?.release == release, latest?.state == .completed {
            self = .done
        } else if let ready = conditions.named("UpgradeReady"), ready.status == "False" {
            self = .waiting(ready.message)
        } else {
            let words = conditions.named("Progressing")?.message ?? ""
            self = .waiting(words.isEmpty ? conditions.missing("Available") ?? "it is being begun" : words)
        }
    }
}
