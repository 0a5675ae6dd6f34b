public struct Secret: KubernetesObject {
    public static let resourceType = ResourceType(kind: "Secret", resource: "secrets")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var type: String?
    public var immutable: Bool?
    public var data: [String: Base64]?
    /// Write only: the server moves it into `data`.
    public var stringData: [String: String]?

    public init(
        metadata: ObjectMeta, type: String? = nil, immutable: Bool? = nil, data: [String: Base64]? = nil,
        stringData: [String: String]? = nil
    ) {
        self.metadata = metadata
        self.type = type
        self.immutable = immutable
        self.data = data
        self.stringData = stringData
    }
}

public struct ConfigMap: KubernetesObject {
    public static let resourceType = ResourceType(kind: "ConfigMap", resource: "configmaps")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var immutable: Bool?
    public var data: [String: String]?
    public var binaryData: [String: Base64]?

    public init(
        metadata: ObjectMeta, immutable: Bool? = nil, data: [String: String]? = nil, binaryData: [String: Base64]? = nil
    ) {
        self.metadata = metadata
        self.immutable = immutable
        self.data = data
        self.binaryData = binaryData
    }
}

public struct ServiceAccount: KubernetesObject {
    public static let resourceType = ResourceType(kind: "ServiceAccount", resource: "serviceaccounts")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var automountServiceAccountToken: Bool?
    public var secrets: [ObjectReference]?
    public var imagePullSecrets: [LocalObjectReference]?

    public init(
        metadata: ObjectMeta, automountServiceAccountToken: Bool? = nil, secrets: [ObjectReference]? = nil,
        imagePullSecrets: [LocalObjectReference]? = nil
    ) {
        self.metadata = metadata
        self.automountServiceAccountToken = automountServiceAccountToken
        self.secrets = secrets
        self.imagePullSecrets = imagePullSecrets
    }
}
