import ArgumentParser
import Foundation
import KubernetesAPI
import KubernetesClient

/// Names from the API for the shell's completion: soon, or none. It never says anything, for that would land in the command line.
enum NameCompletion {
    /// What a person waits for after a key.
    private static let limit = Duration.seconds(2)

    static func names<Kind: AdminKind>(of kind: Kind.Type) -> CompletionKind {
        .custom { words, _, _ in
            await ask(words) { client, namespace in
                let namespace = Kind.resourceType.namespaced ? namespace : nil
                return try await client.listTolerantly(Kind.self, namespace: namespace).items.map(\.name)
            }
        }
    }

    static let namespaces = CompletionKind.custom { words, _, _ in
        await ask(words) { client, _ in try await client.listTolerantly(Namespace.self).items.map(\.name) }
    }

    static let contexts = CompletionKind.custom { words, _, _ in
        let named = CommandLineWords(words).value(of: ["--kubeconfig"]) ?? Terminal.environment("KUBECONFIG")
        let files = named?.split(separator: ":").map(String.init) ?? ["\(NSHomeDirectory())/.kube/config"]
        return files.flatMap { file -> [String] in
            guard let text = FileManager.default.contents(atPath: file) else { return [] }
            return (try? Kubeconfig(text: String(decoding: text, as: UTF8.self)))?.contexts?.map(\.name) ?? []
        }
    }

    private static func ask(
        _ words: [String], _ body: @escaping @Sendable (KubernetesClient, String) async throws -> [String]
    ) async -> [String] {
        let words = CommandLineWords(words)
        let answer = try? await withThrowingTaskGroup(of: [String].self) { group in
            group.addTask {
                let configuration = try ClientConfiguration.load(
                    kubeconfig: words.value(of: ["--kubeconfig"]), context: words.value(of: ["--context"]))
                let namespace = words.value(of: ["--namespace", "-n"]) ?? configuration.defaultNamespace ?? "default"
                return try await KubernetesClient.with(configuration, logger: CommandLog.silent) { try await body($0, namespace) }
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return []
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
        return answer ?? []
    }
}

/// The options on a command line that is not finished yet, and so cannot be parsed.
struct CommandLineWords: Sendable {
    private let words: [String]

    init(_ words: [String]) { self.words = words }

    /// The last value given: `-n x`, `--namespace x`, `--namespace=x`, and as bash splits it, `--namespace = x`.
    func value(of names: [String]) -> String? {
        var value: String?
        for (index, word) in words.enumerated() {
            if names.contains(word) {
                let next = words.dropFirst(index + 1).drop { $0 == "=" }.first
                value = next ?? value
            } else if let name = names.first(where: { $0.hasPrefix("--") && word.hasPrefix($0 + "=") }) {
                value = String(word.dropFirst(name.count + 1))
            }
        }
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }
}
