import ControllerRuntime
import Crypto
import Foundation
import KubernetesAPI
import KubernetesClient
import Synchronization

/// Server-side apply that stays silent when there is nothing to say: an object whose desired state is what was applied
/// last is not sent again, until `forget` says that somebody changed or deleted it.
final class AppliedObjects: Sendable {
    /// By scope (a cluster's UID, in the host or inside the tenant), then by object, the digest of what was applied.
    private let digests = Mutex<[String: [String: SHA256.Digest]]>([:])

    func apply(_ objects: [any KubernetesObject], scope: String, with client: KubernetesClient) async throws {
        for object in objects { try await apply(object, scope: scope, with: client) }
    }

    /// Whether all of them were applied as they are.
    func has(_ objects: [any KubernetesObject], scope: String) throws -> Bool {
        try objects.allSatisfy { try isCurrent($0, scope: scope) }
    }

    /// The scope of what is applied inside the tenant.
    static func inside(_ clusterUID: String) -> String { "\(clusterUID)/tenant" }

    private func isCurrent<T: KubernetesObject>(_ object: T, scope: String) throws -> Bool {
        let digest = try Self.digest(of: object)
        return digests.withLock { $0[scope]?[Self.name(T.self, object.namespace, object.name)] } == digest
    }

    private static func digest(of object: some KubernetesObject) throws -> SHA256.Digest {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return SHA256.hash(data: try encoder.encode(object))
    }

    private func apply<T: KubernetesObject>(_ object: T, scope: String, with client: KubernetesClient) async throws {
        let digest = try Self.digest(of: object)
        let name = Self.name(T.self, object.namespace, object.name)
        guard digests.withLock({ $0[scope]?[name] }) != digest else { return }
        _ = try await client.apply(object, fieldManager: fieldManager)
        digests.withLock { $0[scope, default: [:]][name] = digest }
    }

    /// Makes the next pass apply the object again.
    func forget<T: KubernetesObject>(_ object: T, scope: String) {
        digests.withLock { $0[scope]?[Self.name(T.self, object.namespace, object.name)] = nil }
    }

    func forget(scope: String) {
        digests.withLock { $0[scope] = nil }
    }

    private static func name<T: KubernetesObject>(_ type: T.Type, _ namespace: String?, _ name: String) -> String {
        "\(T.resourceType)/\(namespace ?? "")/\(name)"
    }
}
