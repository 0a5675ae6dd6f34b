import KubernetesAPI
import KubernetesClient
import Logging

/// What the provisioner has to do: a pure function of the claims and volumes there are.
enum VolumeAction: Equatable, Sendable {
    case provision(PersistentVolume)
    /// Remove the folder, then the object.
    case remove(volume: String, uid: String?)

    static let provisionedBy = "pv.kubernetes.io/provisioned-by"
    /// The scheduler's word where the claim's first pod goes.
    static let selectedNode = "volume.kubernetes.io/selected-node"

    /// - Parameter node: the host's one node; nil where it has several, and a claim waits until one is chosen.
    static func decide(
        claims: [PersistentVolumeClaim], volumes: [PersistentVolume], node: String?, folder: String
    ) -> [VolumeAction] {
        let names = Set(volumes.map(\.name))
        let wanted = claims.filter { claim in
            claim.spec?.storageClassName == HostAPI.storageClass && (claim.spec?.volumeName ?? "").isEmpty && !claim.metadata.isBeingDeleted
        }
        let provisions = wanted.compactMap { claim -> VolumeAction? in
            guard let uid = claim.metadata.uid, !names.contains("pvc-\(uid)"),
                let node = claim.metadata.annotations?[selectedNode] ?? node
            else { return nil }
            return .provision(volume(for: claim, uid: uid, node: node, folder: folder))
        }
        let removals = volumes.filter { volume in
            volume.metadata.annotations?[provisionedBy] == HostAPI.provisioner && volume.status?.phase == "Released"
                && volume.spec?.persistentVolumeReclaimPolicy == "Delete" && !volume.metadata.isBeingDeleted
        }
        return provisions + removals.map { .remove(volume: $0.name, uid: $0.metadata.uid) }
    }

    private static func volume(for claim: PersistentVolumeClaim, uid: String, node: String, folder: String) -> PersistentVolume {
        let name = "pvc-\(uid)"
        return PersistentVolume(
            metadata: ObjectMeta(name: name, annotations: [provisionedBy: HostAPI.provisioner]),
            spec: PersistentVolumeSpec(
                capacity: ["storage": claim.spec?.resources?.requests?["storage"] ?? "1Gi"],
                accessModes: claim.spec?.accessModes ?? ["ReadWriteOnce"], persistentVolumeReclaimPolicy: "Delete",
                storageClassName: HostAPI.storageClass, volumeMode: "Filesystem",
                claimRef: ObjectReference(
                    apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: claim.metadata.namespace, name: claim.name, uid: uid),
                nodeAffinity: VolumeNodeAffinity(
                    required: NodeSelector(nodeSelectorTerms: [
                        NodeSelectorTerm(matchExpressions: [
                            LabelSelectorRequirement(key: "kubernetes.io/hostname", operator: "In", values: [node])
                        ])
                    ])),
                local: LocalVolumeSource(path: "\(folder)/\(name)")))
    }
}

/// Provisions the host's volumes: watches claims and volumes, and looks at all of them whenever one changes.
struct LocalVolumes: Sendable {
    let api: KubernetesClient
    /// The host's one node; nil where it has several.
    let node: String?
    let folder: String
    let logger: Logger

    func run() async throws {
        while !Task.isCancelled {
            do {
                try await untilWatchEnds()
            } catch is CancellationError {
                return
            } catch {
                logger.debug("the API does not answer", metadata: ["reason": "\(error)"])
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    private func untilWatchEnds() async throws {
        let claims: ObjectList<PersistentVolumeClaim> = try await api.list()
        let volumes: ObjectList<PersistentVolume> = try await api.list()
        for action in VolumeAction.decide(claims: claims.items, volumes: volumes.items, node: node, folder: folder) {
            try await perform(action)
        }
        // The first change ends both watches, and everything is looked at again.
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await firstChange(PersistentVolumeClaim.self, since: claims.metadata.resourceVersion ?? "") }
            group.addTask { try await firstChange(PersistentVolume.self, since: volumes.metadata.resourceVersion ?? "") }
            try await group.next()
            group.cancelAll()
        }
    }

    private func firstChange<T: KubernetesObject>(_ type: T.Type, since version: String) async throws {
        for try await event in api.watch(type, resourceVersion: version) {
            if case .bookmark = event { continue }
            return
        }
    }

    private func perform(_ action: VolumeAction) async throws {
        switch action {
        case .provision(let volume):
            guard let path = volume.spec?.local?.path else { return }
            // Whatever user a pod runs as: the folder above lets nobody of the computer in.
            try await offPool { try Files.createFolder(path, mode: 0o777) }
            do {
                _ = try await api.create(volume)
            } catch let error as KubernetesError where error.isAlreadyExists {
                return
            }
            logger.info("made a volume", metadata: ["volume": "\(volume.name)"])
        case .remove(let volume, let uid):
            try await Command.output("rm", ["-rf", "--one-file-system", "\(folder)/\(volume)"], purpose: "removing the volume \(volume)")
            do {
                try await api.delete(PersistentVolume.self, volume, uid: uid)
            } catch let error as KubernetesError where error.isNotFound {
                return
            }
            logger.info("removed a volume", metadata: ["volume": "\(volume)"])
        }
    }
}
