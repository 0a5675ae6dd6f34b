import ControlPlane
import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import KubernetesVersions

/// Empties a node, as `kubectl drain` does: cordoned first, then its pods are asked to go by the eviction API, then their volumes are
/// detached. One look at a time, each of which asks what can be asked and says what is left.
struct NodeDrain {
    /// On a Node that leaves: the epoch of its Machine's claim.
    static let leaving = "nestbox.dev/leaving"
    /// On a Node that was cordoned here, and by nobody else before.
    static let cordoned = "nestbox.dev/cordoned"

    let session: TenantSession
    /// The tenant's API servers'.
    let server: KubernetesVersion?
    /// Asked before each eviction: a drain that was called off evicts nothing more.
    let isWanted: () async throws -> Bool

    enum Progress {
        case empty
        /// Something is left; to be looked at again after a while, and when pods or the Node change.
        case waits(DrainReport, again: Duration)
        /// It was called off.
        case unwanted
    }

    /// What is not heard of by a watch: attached volumes, pods that may not be evicted yet, and a watch that is not there yet.
    private static let pollingPause = Duration.seconds(5)
    /// Everything else is heard of.
    private static let longestPause = Duration.seconds(60)

    func look(at node: Node) async throws -> Progress {
        let watched = session.drains.pods(on: node.name)
        var decision: DrainDecision
        if let watched { decision = DrainDecision(pods: watched) } else { decision = DrainDecision(pods: try await pods(on: node)) }
        // A watch may be behind: that nothing is left is for the API to say.
        if decision.isOver, watched != nil { decision = DrainDecision(pods: try await pods(on: node)) }
        if decision.isOver {
            let volumes = try await attachedVolumes(of: node, staying: decision.staying)
            return volumes.isEmpty ? .empty : .waits(DrainReport(volumes: volumes), again: Self.pollingPause)
        }
        var refusals: [String: String] = [:]
        var going = decision.terminating
        var again = watched == nil ? Self.pollingPause : Self.longestPause
        for pod in decision.evict.sorted(by: { $0.key < $1.key }) {
            if let refusal = session.drains.refusal(of: pod, on: node.name) {
                refusals[pod.key] = refusal.words
                again = min(again, max(.milliseconds(100), refusal.until - .now))
                continue
            }
            guard try await isWanted() else { return .unwanted }
            switch try await evict(pod) {
            case .accepted: going.append(pod)
            case .outdated: again = .seconds(1)
            case .refused(let words):
                session.drains.refuse(pod, on: node.name, words)
                refusals[pod.key] = words
                again = min(again, DrainedNodes.pauseAfterRefusal)
            }
        }
        return .waits(DrainReport(refusals: refusals, terminating: going), again: again)
    }

    private enum Answer {
        case accepted
        /// The pod is gone, or another one now.
        case outdated
        case refused(String)
    }

    private func evict(_ pod: Pod) async throws -> Answer {
        do {
            _ = try await session.client.subresource(
                .post, "eviction", of: Pod.self, pod.name, namespace: pod.namespace, body: EvictionRequest(of: pod, server: server))
            return .accepted
        } catch let error as KubernetesError where error.isNotFound || error.isConflict {
            return .outdated
        } catch let error as KubernetesError where error.code == .refused {
            // Of a namespace that ends, which takes its pods along.
            if error.status?.details?.causes?.contains(where: { $0.reason == "NamespaceTerminating" }) == true { return .accepted }
            if error.isForbidden { session.rightsLost() }
            return .refused(DrainReport.words(error.status, otherwise: "\(error)"))
        }
    }

    private func pods(on node: Node) async throws -> [Pod] {
        try await session.client.listTolerantly(Pod.self, fields: "spec.nodeName=\(node.name)").items
    }

    /// The volumes that are attached to the node still, but for those of pods that stay on it.
    private func attachedVolumes(of node: Node, staying: [Pod]) async throws -> [String] {
        let attachments = try await session.client.listTolerantly(VolumeAttachment.self).items.filter { $0.spec?.nodeName == node.name }
        guard !attachments.isEmpty else { return [] }
        // A claim is named by the pod, or after the pod and the volume where the pod brings its own.
        let kept = Set(
            staying.flatMap { pod in
                (pod.spec?.volumes ?? []).map { volume in
                    "\(pod.namespace ?? "")/\(volume.persistentVolumeClaim?.claimName ?? "\(pod.name)-\(volume.name)")"
                }
            })
        var attached: [String] = []
        for attachment in attachments {
            guard let volume = attachment.spec?.source.persistentVolumeName else {
                // Written into a pod's own spec, perhaps one's that stays.
                if kept.isEmpty { attached.append(attachment.name) }
                continue
            }
            if !kept.isEmpty, let claim = try await session.client.find(PersistentVolume.self, volume)?.spec?.claimRef,
                kept.contains("\(claim.namespace ?? "")/\(claim.name ?? "")")
            {
                continue
            }
            attached.append(volume)
        }
        return attached
    }
}

extension TenantSession {
    /// Has no more pods put on the node, and marks it as one that leaves.
    func cordon(_ node: Node, epoch: Int) async throws {
        let annotations = node.metadata.annotations ?? [:]
        guard node.spec?.unschedulable != true || annotations[NodeDrain.leaving] != "\(epoch)" else { return }
        var marks: [String: JSONValue] = [NodeDrain.leaving: .string("\(epoch)")]
        var patch: JSONValue = ["metadata": [:]]
        if node.spec?.unschedulable != true {
            // Who cordoned it before us finds it cordoned when it is taken back.
            marks[NodeDrain.cordoned] = .string(NestboxName.fieldManager)
            patch["spec"] = ["unschedulable": true]
        }
        patch["metadata"] = ["annotations": .object(marks)]
        _ = try await client.patch(Node.self, node.name, merge: patch)
    }

    /// Takes back what `cordon` did.
    func uncordon(_ node: Node) async throws {
        let annotations = node.metadata.annotations ?? [:]
        guard annotations[NodeDrain.leaving] != nil else { return }
        var patch: JSONValue = ["metadata": ["annotations": [NodeDrain.leaving: .null, NodeDrain.cordoned: .null]]]
        if annotations[NodeDrain.cordoned] != nil { patch["spec"] = ["unschedulable": .null] }
        _ = try await client.patch(Node.self, node.name, merge: patch)
    }
}
