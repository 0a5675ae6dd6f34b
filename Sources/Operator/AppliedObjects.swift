import ControlPlane
import ControllerRuntime
import Crypto
import Foundation
import KubernetesAPI
import KubernetesClient
import Synchronization

/// Server-side apply that stays silent when there is nothing to say: an object whose desired state is what was applied
/// last is not sent again, until it is seen to be another's work, or an hour has passed.
final class AppliedObjects: Sendable {
    /// After this long an object is applied again all the same: not of every kind is it heard that somebody changed it.
    private static let trust = Duration.seconds(3600)

    private struct Record {
        var digest: SHA256.Digest
        /// As the API server counts changes of a spec; nil for kinds that it does not count for.
        var generation: Int?
        var time: ContinuousClock.Instant
    }

    /// By scope (a cluster's UID, in the host or inside the tenant), then by object.
    private let records = Mutex<[String: [String: Record]]>([:])

    /// Returns what the API server answered: those that were sent, as they are now.
    @discardableResult
    func apply(_ objects: [any KubernetesObject], scope: String, with client: KubernetesClient) async throws -> [any KubernetesObject] {
        var answers: [any KubernetesObject] = []
        for object in objects {
            if let answer = try await apply(object, scope: scope, with: client) { answers.append(answer) }
        }
        return answers
    }

    /// Removes what stands under the objects' names, unless that was what was done last.
    func remove(_ objects: [any KubernetesObject], scope: String, with client: KubernetesClient) async throws {
        for object in objects { try await remove(object, scope: scope, with: client) }
    }

    private func remove<T: KubernetesObject>(_ object: T, scope: String, with client: KubernetesClient) async throws {
        guard !isCurrent(object, Self.absent, scope: scope) else { return }
        if let present = try await client.find(T.self, ObjectKey(object)), !present.metadata.isBeingDeleted {
            try await client.remove(object)
        }
        records.withLock { $0[scope, default: [:]][Self.name(object)] = Record(digest: Self.absent, generation: nil, time: .now) }
    }

    /// Of what is not to be there.
    private static let absent = SHA256.hash(data: Data())

    /// Whether all of them were applied as they are.
    func has(_ objects: [any KubernetesObject], scope: String) throws -> Bool {
        try objects.allSatisfy { isCurrent($0, try Self.digest(of: $0), scope: scope) }
    }

    /// The scope of what is applied inside the tenant.
    static func inside(_ clusterUID: String) -> String { "\(clusterUID)/tenant" }

    private func isCurrent<T: KubernetesObject>(_ object: T, _ digest: SHA256.Digest, scope: String) -> Bool {
        guard let record = records.withLock({ $0[scope]?[Self.name(object)] }) else { return false }
        return record.digest == digest && record.time.duration(to: .now) < Self.trust
    }

    private static func digest(of object: some KubernetesObject) throws -> SHA256.Digest {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return SHA256.hash(data: try encoder.encode(object))
    }

    private func apply<T: KubernetesObject>(_ object: T, scope: String, with client: KubernetesClient) async throws -> T? {
        let digest = try Self.digest(of: object)
        guard !isCurrent(object, digest, scope: scope) else { return nil }
        let answer = try await client.apply(object, fieldManager: fieldManager)
        let generation = answer.metadata.generation
        records.withLock { $0[scope, default: [:]][Self.name(object)] = Record(digest: digest, generation: generation, time: .now) }
        return answer
    }

    /// Has an object that somebody deleted, or whose spec somebody changed, applied again by the next pass.
    func observe<T: KubernetesObject>(_ change: InformerChange<T>) {
        let object = change.object
        guard let scope = object.metadata.labels?[NestboxLabel.clusterUID] else { return }
        records.withLock { records in
            guard let record = records[scope]?[Self.name(object)] else { return }
            let isDeleted = if case .deleted = change { true } else { false }
            if isDeleted || record.generation != object.metadata.generation { records[scope]?[Self.name(object)] = nil }
        }
    }

    func forget(scope: String) {
        records.withLock { $0[scope] = nil }
    }

    private static func name<T: KubernetesObject>(_ object: T) -> String {
        "\(T.resourceType)/\(object.namespace ?? "")/\(object.name)"
    }
}
