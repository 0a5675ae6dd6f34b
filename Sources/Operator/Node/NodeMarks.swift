import ControlPlane
import KubernetesAPI
import NestboxAPI

/// The labels and taints that a pool keeps on its nodes, beside those of others, which are left as they are. Pure.
///
/// A kubelet gives them to its Node when that is made, and never again. From then on what is on the Node because of the pool is written
/// down in two of its annotations: what the pool no longer names is taken away, and nothing else is.
struct NodeMarks: Equatable {
    static let labelsAnnotation = "nestbox.dev/pool-labels"
    static let taintsAnnotation = "nestbox.dev/pool-taints"

    var labels: [String: String]
    var taints: [Taint]
    private let nodePool: String

    init(_ spec: NodePoolSpec?, nodePool: String) {
        labels = spec?.labels ?? [:]
        taints = spec?.taints ?? []
        self.nodePool = nodePool
    }

    /// The merge patch that brings the Node to it; nil when it is as it should be. Taints are one list, so that a patch with them is for
    /// this very version of the Node.
    func patch(for node: Node) -> JSONValue? {
        let known = node.metadata.annotations ?? [:]
        var labelChanges: [String: JSONValue] = [:]
        for key in Self.names(known[Self.labelsAnnotation]) where labels[key] == nil && node.metadata.labels?[key] != nil {
            labelChanges[key] = .null
        }
        for (key, value) in labels.merging([NestboxLabel.nodePool: nodePool], uniquingKeysWith: { _, ours in ours })
        where node.metadata.labels?[key] != value {
            labelChanges[key] = .string(value)
        }
        var annotations: [String: JSONValue] = [:]
        for (annotation, names) in [
            (Self.labelsAnnotation, labels.keys.sorted()), (Self.taintsAnnotation, taints.map(\.name).sorted()),
        ] {
            let text = names.isEmpty ? nil : names.joined(separator: ",")
            if known[annotation] != text { annotations[annotation] = text.map { .string($0) } ?? .null }
        }

        var metadata: [String: JSONValue] = [:]
        if !labelChanges.isEmpty { metadata["labels"] = .object(labelChanges) }
        if !annotations.isEmpty { metadata["annotations"] = .object(annotations) }
        var patch: [String: JSONValue] = [:]
        let present = node.spec?.taints ?? []
        let wanted = self.taints(on: present, known: Set(Self.names(known[Self.taintsAnnotation])))
        if wanted != present {
            patch["spec"] = ["taints": .array(wanted.map(\.json))]
            metadata["resourceVersion"] = node.metadata.resourceVersion.map { .string($0) }
        }
        if !metadata.isEmpty { patch["metadata"] = .object(metadata) }
        return patch.isEmpty ? nil : .object(patch)
    }

    /// Those of others in their places, then those of the pool that are missing.
    private func taints(on present: [Taint], known: Set<String>) -> [Taint] {
        let own = Dictionary(taints.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
        var result: [Taint] = []
        var seen: Set<String> = []
        for taint in present {
            if let ours = own[taint.name] {
                seen.insert(taint.name)
                // When a NoExecute taint came is the cluster's to know.
                result.append((ours.value ?? "") == (taint.value ?? "") ? taint : ours)
            } else if !known.contains(taint.name) {
                result.append(taint)
            }
        }
        return result + taints.filter { !seen.contains($0.name) }
    }

    private static func names(_ text: String?) -> [String] { (text ?? "").split(separator: ",").map(String.init) }
}

extension Taint {
    /// What makes it one of a node's taints: `key:Effect`.
    fileprivate var name: String { "\(key):\(effect)" }

    fileprivate var json: JSONValue {
        var value: JSONValue = ["key": .string(key), "effect": .string(effect)]
        value["value"] = self.value.map { .string($0) }
        value["timeAdded"] = timeAdded.map { .string($0) }
        return value
    }
}
