/// That a volume is, or is to be, attached to a node.
public struct VolumeAttachment: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "storage.k8s.io", version: "v1", kind: "VolumeAttachment", resource: "volumeattachments", namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: VolumeAttachmentSpec?
    public var status: VolumeAttachmentStatus?

    public init(metadata: ObjectMeta, spec: VolumeAttachmentSpec? = nil, status: VolumeAttachmentStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct VolumeAttachmentSpec: Codable, Sendable, Equatable {
    /// The driver.
    public var attacher: String
    public var nodeName: String
    public var source: VolumeAttachmentSource

    public init(attacher: String, nodeName: String, source: VolumeAttachmentSource) {
        self.attacher = attacher
        self.nodeName = nodeName
        self.source = source
    }
}

public struct VolumeAttachmentSource: Codable, Sendable, Equatable {
    /// Nil for a volume that is written into a pod's own spec.
    public var persistentVolumeName: String?

    public init(persistentVolumeName: String? = nil) {
        self.persistentVolumeName = persistentVolumeName
    }
}

public struct VolumeAttachmentStatus: Codable, Sendable, Equatable {
    public var attached: Bool?

    public init(attached: Bool? = nil) {
        self.attached = attached
    }
}
