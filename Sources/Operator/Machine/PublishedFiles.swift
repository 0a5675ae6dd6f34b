import Synchronization

/// What may be fetched from the machines operator: by its SHA-256 and in no other way, and only while a Machine wants it.
final class PublishedFiles: Sendable {
    enum Content: Equatable {
        /// A script.
        case text(String)
        /// The path of a file of the artifact store.
        case file(String)
    }

    private let machines = Mutex<[String: [String: Content]]>([:])

    /// Whatever was published for that machine before is not any more.
    func publish(_ contents: [String: Content], for machine: String) {
        machines.withLock { $0[machine] = contents }
    }

    func withdraw(_ machine: String) {
        _ = machines.withLock { $0.removeValue(forKey: machine) }
    }

    subscript(sha256: String) -> Content? {
        machines.withLock { machines in
            for contents in machines.values {
                if let content = contents[sha256] { return content }
            }
            return nil
        }
    }
}
