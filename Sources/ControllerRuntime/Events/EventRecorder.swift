import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization

public enum EventType: String, Sendable {
    case normal = "Normal"
    case warning = "Warning"
}

/// Writes Kubernetes Events: what `kubectl describe` shows under an object.
///
/// The same thing again raises a count instead of making another Event, and an object that has too many is silenced for a
/// while. An Event that cannot be written is no reason to fail: it is logged.
public struct EventRecorder: Sendable {
    private let client: KubernetesClient
    private let component: String
    private let logger: Logger
    private let correlator = Shared()
    private let start = ContinuousClock.now

    private final class Shared: Sendable {
        let value = Mutex(EventCorrelator())
    }

    /// - Parameter component: who reports, such as `nestbox-operator`.
    public init(client: KubernetesClient, component: String, logger: Logger = Logger(label: "events")) {
        self.client = client
        self.component = component
        self.logger = logger
    }

    public func record(_ type: EventType, reason: String, message: String, on object: any KubernetesObject) async {
        let bounded = Self.bounded(message)
        let about = Self.reference(to: object)
        let occurrence = EventCorrelator.Occurrence(
            object: "\(about.kind ?? "")/\(about.namespace ?? "")/\(about.name ?? "")/\(about.uid ?? "")", type: type.rawValue,
            reason: reason, message: bounded)
        do {
            switch correlator.value.withLock({ $0.decide(occurrence, now: .now - start) }) {
            case .drop: return
            case .create(let message): try await create(occurrence, message: message, about: about)
            case .repeated(let name, let count):
                if try await !raise(name, to: count, namespace: about.namespace) {
                    correlator.value.withLock { $0.forget(name: name) }
                    try await create(occurrence, message: bounded, about: about)
                }
            }
        } catch {
            logger.debug("cannot write an event", metadata: ["reason": "\(reason)", "error": "\(error)"])
        }
    }

    private func create(_ occurrence: EventCorrelator.Occurrence, message: String, about: ObjectReference) async throws {
        let name = Self.eventName(for: about.name ?? "object", number: UInt64.random(in: 0...UInt64.max))
        let stamp = Timestamp.format(Date())
        let event = Event(
            metadata: ObjectMeta(name: name, namespace: about.namespace ?? "default"), involvedObject: about, type: occurrence.type,
            reason: occurrence.reason, message: message, source: EventSource(component: component), count: 1, firstTimestamp: stamp,
            lastTimestamp: stamp, reportingComponent: component, reportingInstance: "")
        _ = try await client.create(event)
        correlator.value.withLock { $0.created(occurrence, message: message, name: name, now: .now - start) }
    }

    /// False when the Event is gone.
    private func raise(_ name: String, to count: Int, namespace: String?) async throws -> Bool {
        do {
            _ = try await client.patch(
                Event.self, name, namespace: namespace ?? "default",
                merge: ["count": .integer(count), "lastTimestamp": .string(Timestamp.format(Date()))])
            return true
        } catch let error as KubernetesError where error.isNotFound {
            return false
        }
    }

    /// The server refuses messages beyond 1024 bytes.
    static func bounded(_ message: String) -> String {
        guard message.utf8.count > 1024 else { return message }
        var kept = ""
        for character in message {
            guard kept.utf8.count + character.utf8.count <= 1021 else { break }
            kept.append(character)
        }
        return kept + "..."
    }

    static func eventName(for object: String, number: UInt64) -> String {
        let suffix = String(number, radix: 16)
        return "\(object.prefix(253 - 17)).\(String(repeating: "0", count: 16 - suffix.count))\(suffix)"
    }

    private static func reference(to object: some KubernetesObject) -> ObjectReference {
        let type = Swift.type(of: object).resourceType
        return ObjectReference(
            apiVersion: type.apiVersion, kind: type.kind, namespace: object.namespace, name: object.name, uid: object.metadata.uid,
            resourceVersion: object.metadata.resourceVersion)
    }
}
