/// Where a kind lives in the API: `/apis/GROUP/VERSION/.../RESOURCE`.
public struct ResourceType: Hashable, Sendable, CustomStringConvertible {
    /// Empty for the core group.
    public var group: String
    public var version: String
    public var kind: String
    /// The plural in the URL, such as `deployments`.
    public var resource: String
    public var namespaced: Bool

    public init(group: String = "", version: String = "v1", kind: String, resource: String, namespaced: Bool = true) {
        self.group = group
        self.version = version
        self.kind = kind
        self.resource = resource
        self.namespaced = namespaced
    }

    /// `apps/v1`, or `v1` for the core group.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// `deployments.apps`: how kubectl and error messages name it.
    public var description: String { group.isEmpty ? resource : "\(resource).\(group)" }
}

/// A Kubernetes object that Swift knows the shape of.
///
/// Every field but the type is optional and nil fields are not encoded, so that a server-side apply owns just what was set.
public protocol KubernetesObject: Codable, Sendable, Equatable {
    static var resourceType: ResourceType { get }
    var apiVersion: String? { get set }
    var kind: String? { get set }
    var metadata: ObjectMeta { get set }
}

extension KubernetesObject {
    public var name: String { metadata.name ?? "" }
    public var namespace: String? { metadata.namespace }
    /// `namespace/name`, or the name alone: the key of informers and queues.
    public var key: String { metadata.namespace.map { "\($0)/\(name)" } ?? name }
}

/// `metadata` (API conventions, "Metadata").
public struct ObjectMeta: Codable, Sendable, Equatable {
    public var name: String?
    public var generateName: String?
    public var namespace: String?
    public var labels: [String: String]?
    public var annotations: [String: String]?
    public var uid: String?
    public var resourceVersion: String?
    public var generation: Int?
    /// RFC 3339.
    public var creationTimestamp: String?
    /// RFC 3339; set once deletion was asked for and finalizers hold it.
    public var deletionTimestamp: String?
    public var deletionGracePeriodSeconds: Int?
    public var finalizers: [String]?
    public var ownerReferences: [OwnerReference]?

    public init(
        name: String? = nil, generateName: String? = nil, namespace: String? = nil, labels: [String: String]? = nil,
        annotations: [String: String]? = nil, uid: String? = nil, resourceVersion: String? = nil, generation: Int? = nil,
        creationTimestamp: String? = nil, deletionTimestamp: String? = nil, deletionGracePeriodSeconds: Int? = nil,
        finalizers: [String]? = nil,
        ownerReferences: [OwnerReference]? = nil
    ) {
        self.name = name
        self.generateName = generateName
        self.namespace = namespace
        self.labels = labels
        self.annotations = annotations
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.generation = generation
        self.creationTimestamp = creationTimestamp
        self.deletionTimestamp = deletionTimestamp
        self.deletionGracePeriodSeconds = deletionGracePeriodSeconds
        self.finalizers = finalizers
        self.ownerReferences = ownerReferences
    }

    public var isBeingDeleted: Bool { deletionTimestamp != nil }
}

public struct OwnerReference: Codable, Sendable, Equatable {
    public var apiVersion: String
    public var kind: String
    public var name: String
    public var uid: String
    public var controller: Bool?
    public var blockOwnerDeletion: Bool?

    public init(apiVersion: String, kind: String, name: String, uid: String, controller: Bool? = nil, blockOwnerDeletion: Bool? = nil) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
        self.uid = uid
        self.controller = controller
        self.blockOwnerDeletion = blockOwnerDeletion
    }
}

/// What a list call answers.
public struct ObjectList<Item: KubernetesObject>: Codable, Sendable {
    public var metadata: ListMeta
    public var items: [Item]

    public init(metadata: ListMeta, items: [Item]) {
        self.metadata = metadata
        self.items = items
    }
}

public struct ListMeta: Codable, Sendable, Equatable {
    public var resourceVersion: String?
    public var `continue`: String?
    public var remainingItemCount: Int?

    public init(resourceVersion: String? = nil, continue: String? = nil, remainingItemCount: Int? = nil) {
        self.resourceVersion = resourceVersion
        self.continue = `continue`
        self.remainingItemCount = remainingItemCount
    }
}
