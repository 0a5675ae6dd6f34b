public struct PersistentVolumeClaim: KubernetesObject {
    public static let resourceType = ResourceType(kind: "PersistentVolumeClaim", resource: "persistentvolumeclaims")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: PersistentVolumeClaimSpec?
    public var status: PersistentVolumeClaimStatus?

    public init(metadata: ObjectMeta, spec: PersistentVolumeClaimSpec? = nil, status: PersistentVolumeClaimStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct PersistentVolumeClaimSpec: Codable, Sendable, Equatable {
    public var accessModes: [String]?
    public var selector: LabelSelector?
    public var resources: ResourceRequirements?
    public var volumeName: String?
    public var storageClassName: String?
    public var volumeMode: String?

    public init(
        accessModes: [String]? = nil, selector: LabelSelector? = nil, resources: ResourceRequirements? = nil,
        volumeName: String? = nil, storageClassName: String? = nil, volumeMode: String? = nil
    ) {
        self.accessModes = accessModes
        self.selector = selector
        self.resources = resources
        self.volumeName = volumeName
        self.storageClassName = storageClassName
        self.volumeMode = volumeMode
    }
}

public struct PersistentVolumeClaimStatus: Codable, Sendable, Equatable {
    /// `Pending`, `Bound` or `Lost`.
    public var phase: String?
    public var accessModes: [String]?
    public var capacity: [String: String]?
    public var conditions: [StatusCondition]?

    public init(
        phase: String? = nil, accessModes: [String]? = nil, capacity: [String: String]? = nil,
        conditions: [StatusCondition]? = nil
    ) {
        self.phase = phase
        self.accessModes = accessModes
        self.capacity = capacity
        self.conditions = conditions
    }
}

public struct PersistentVolume: KubernetesObject {
    public static let resourceType = ResourceType(kind: "PersistentVolume", resource: "persistentvolumes", namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: PersistentVolumeSpec?
    public var status: PersistentVolumeStatus?

    public init(metadata: ObjectMeta, spec: PersistentVolumeSpec? = nil, status: PersistentVolumeStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct PersistentVolumeSpec: Codable, Sendable, Equatable {
    public var capacity: [String: String]?
    public var accessModes: [String]?
    public var persistentVolumeReclaimPolicy: String?
    public var storageClassName: String?
    public var volumeMode: String?
    public var mountOptions: [String]?
    public var claimRef: ObjectReference?
    public var nodeAffinity: VolumeNodeAffinity?
    public var hostPath: HostPathVolumeSource?
    public var local: LocalVolumeSource?
    public var nfs: NFSVolumeSource?
    public var csi: PersistentCSIVolumeSource?

    public init(
        capacity: [String: String]? = nil, accessModes: [String]? = nil, persistentVolumeReclaimPolicy: String? = nil,
        storageClassName: String? = nil, volumeMode: String? = nil, mountOptions: [String]? = nil,
        claimRef: ObjectReference? = nil, nodeAffinity: VolumeNodeAffinity? = nil, hostPath: HostPathVolumeSource? = nil,
        local: LocalVolumeSource? = nil, nfs: NFSVolumeSource? = nil, csi: PersistentCSIVolumeSource? = nil
    ) {
        self.capacity = capacity
        self.accessModes = accessModes
        self.persistentVolumeReclaimPolicy = persistentVolumeReclaimPolicy
        self.storageClassName = storageClassName
        self.volumeMode = volumeMode
        self.mountOptions = mountOptions
        self.claimRef = claimRef
        self.nodeAffinity = nodeAffinity
        self.hostPath = hostPath
        self.local = local
        self.nfs = nfs
        self.csi = csi
    }
}

public struct LocalVolumeSource: Codable, Sendable, Equatable {
    public var path: String
    public var fsType: String?

    public init(path: String, fsType: String? = nil) {
        self.path = path
        self.fsType = fsType
    }
}

public struct PersistentCSIVolumeSource: Codable, Sendable, Equatable {
    public var driver: String
    public var volumeHandle: String
    public var readOnly: Bool?
    public var fsType: String?
    public var volumeAttributes: [String: String]?

    public init(
        driver: String, volumeHandle: String, readOnly: Bool? = nil, fsType: String? = nil,
        volumeAttributes: [String: String]? = nil
    ) {
        self.driver = driver
        self.volumeHandle = volumeHandle
        self.readOnly = readOnly
        self.fsType = fsType
        self.volumeAttributes = volumeAttributes
    }
}

public struct VolumeNodeAffinity: Codable, Sendable, Equatable {
    public var required: NodeSelector?

    public init(required: NodeSelector? = nil) {
        self.required = required
    }
}

public struct PersistentVolumeStatus: Codable, Sendable, Equatable {
    public var phase: String?
    public var message: String?
    public var reason: String?

    public init(phase: String? = nil, message: String? = nil, reason: String? = nil) {
        self.phase = phase
        self.message = message
        self.reason = reason
    }
}
