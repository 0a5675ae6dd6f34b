public struct RoleBinding: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "rbac.authorization.k8s.io", version: "v1", kind: "RoleBinding", resource: "rolebindings")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var subjects: [RBACSubject]?
    public var roleRef: RoleRef?

    public init(metadata: ObjectMeta, subjects: [RBACSubject]? = nil, roleRef: RoleRef? = nil) {
        self.metadata = metadata
        self.subjects = subjects
        self.roleRef = roleRef
    }
}

public struct ClusterRoleBinding: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "rbac.authorization.k8s.io", version: "v1", kind: "ClusterRoleBinding", resource: "clusterrolebindings", namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var subjects: [RBACSubject]?
    public var roleRef: RoleRef?

    public init(metadata: ObjectMeta, subjects: [RBACSubject]? = nil, roleRef: RoleRef? = nil) {
        self.metadata = metadata
        self.subjects = subjects
        self.roleRef = roleRef
    }
}

public struct RBACSubject: Codable, Sendable, Equatable {
    /// `User`, `Group` or `ServiceAccount`.
    public var kind: String
    public var apiGroup: String?
    public var name: String
    public var namespace: String?

    public init(kind: String, apiGroup: String? = nil, name: String, namespace: String? = nil) {
        self.kind = kind
        self.apiGroup = apiGroup
        self.name = name
        self.namespace = namespace
    }
}

public struct RoleRef: Codable, Sendable, Equatable {
    public var apiGroup: String
    public var kind: String
    public var name: String

    public init(apiGroup: String, kind: String, name: String) {
        self.apiGroup = apiGroup
        self.kind = kind
        self.name = name
    }
}
