public struct ValidatingWebhookConfiguration: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "admissionregistration.k8s.io", version: "v1", kind: "ValidatingWebhookConfiguration",
        resource: "validatingwebhookconfigurations", namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var webhooks: [JSONValue]?

    public init(metadata: ObjectMeta, webhooks: [JSONValue]? = nil) {
        self.metadata = metadata
        self.webhooks = webhooks
    }
}

public struct MutatingWebhookConfiguration: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "admissionregistration.k8s.io", version: "v1", kind: "MutatingWebhookConfiguration",
        resource: "mutatingwebhookconfigurations", namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var webhooks: [JSONValue]?

    public init(metadata: ObjectMeta, webhooks: [JSONValue]? = nil) {
        self.metadata = metadata
        self.webhooks = webhooks
    }
}
