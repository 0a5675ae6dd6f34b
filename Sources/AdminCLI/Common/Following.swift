import KubernetesAPI
import KubernetesClient

/// The objects of a kind as they are now and as they change: lists, watches from there, and lists again when the watch cannot go on.
struct Following<T: KubernetesObject>: Sendable {
    var client: KubernetesClient
    /// Nil for all.
    var namespace: String?
    var labels: String?
    var name: String?

    enum Sighting: Sendable {
        /// All there is, at first and after a gap.
        case listed([T])
        case changed(T)
        case deleted(T)
        case unreadable(UndecodableObject)
        /// The host cluster does not answer; it is asked again.
        case interrupted(KubernetesError)
    }

    /// Runs until `body` returns false. A failure before the first list is thrown; later ones that may pass are sightings.
    func run(_ body: (Sighting) async throws -> Bool) async throws {
        var hasListed = false
        while true {
            do {
                let list = try await client.list(T.self, namespace: namespace, labels: labels, fields: fields)
                hasListed = true
                guard try await body(.listed(list.items)), try await watch(from: list.metadata.resourceVersion ?? "", body) else { return }
            } catch let error as KubernetesError where hasListed && (error.isTransient || error.isExpired) {
                if error.isExpired { continue }
                guard try await body(.interrupted(error)) else { return }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private var fields: String? { name.map { "metadata.name=\($0)" } }

    /// False when `body` had enough.
    private func watch(from version: String, _ body: (Sighting) async throws -> Bool) async throws -> Bool {
        var version = version
        while true {
            for try await event in client.watch(T.self, namespace: namespace, labels: labels, fields: fields, resourceVersion: version) {
                version = event.resourceVersion ?? version
                let goOn =
                    switch event {
                    case .added(let object), .modified(let object): try await body(.changed(object))
                    case .deleted(let object): try await body(.deleted(object))
                    case .undecodable(let object): try await body(.unreadable(object))
                    case .bookmark: true
                    }
                guard goOn else { return false }
            }
            // The server ends a watch after some minutes; a proxy that ends it at once must not make this spin.
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
