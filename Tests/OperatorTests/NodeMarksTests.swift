import KubernetesAPI
import NestboxAPI
import Testing

@testable import Operator

@Suite struct NodeMarksTests {
    static func node(labels: [String: String] = [:], annotations: [String: String]? = nil, taints: [Taint]? = nil) -> Node {
        var metadata = ObjectMeta(name: "a", labels: labels.merging(["nestbox.dev/nodepool": "workers"]) { mine, _ in mine })
        metadata.annotations = annotations
        metadata.resourceVersion = "7"
        return Node(metadata: metadata, spec: NodeSpec(taints: taints))
    }

    static func patch(_ labels: [String: String]?, _ taints: [Taint]?, _ node: Node) -> JSONValue? {
        NodeMarks(NodePoolSpec(labels: labels, taints: taints), nodePool: "workers").patch(for: node)
    }

    static let known = ["nestbox.dev/pool-labels": "tier", "nestbox.dev/pool-taints": "gpu:NoSchedule"]
    static let gpu = Taint(key: "gpu", value: "yes", effect: "NoSchedule")
    static let foreign = Taint(key: "node.kubernetes.io/unschedulable", effect: "NoSchedule", timeAdded: "2026-01-01T00:00:00Z")

    @Test func aNodeThatIsAsItShouldBeIsNotWrittenTo() {
        #expect(Self.patch(nil, nil, Self.node(labels: ["own": "x"], taints: [Self.foreign])) == nil)
        let node = Self.node(labels: ["tier": "a", "own": "x"], annotations: Self.known, taints: [Self.foreign, Self.gpu])
        #expect(Self.patch(["tier": "a"], [Self.gpu], node) == nil)
        // An empty value is none.
        let empty = Taint(key: "gpu", value: "", effect: "NoSchedule")
        var plain = node
        plain.spec?.taints = [Taint(key: "gpu", effect: "NoSchedule")]
        #expect(Self.patch(["tier": "a"], [empty], plain) == nil)
    }

    @Test func whatKubeletsGaveItIsWrittenDown() {
        let node = Self.node(labels: ["tier": "a"], taints: [Self.gpu])
        #expect(
            Self.patch(["tier": "a"], [Self.gpu], node)
                == ["metadata": ["annotations": ["nestbox.dev/pool-labels": "tier", "nestbox.dev/pool-taints": "gpu:NoSchedule"]]])
    }

    @Test func labelsComeChangeAndGoAndOthersStay() {
        let node = Self.node(labels: ["tier": "a", "own": "x"], annotations: ["nestbox.dev/pool-labels": "tier"])
        #expect(Self.patch(["tier": "b"], nil, node) == ["metadata": ["labels": ["tier": "b"]]])
        #expect(
            Self.patch(["zone": "z"], nil, node) == [
                "metadata": ["labels": ["tier": .null, "zone": "z"], "annotations": ["nestbox.dev/pool-labels": "zone"]]
            ])
        #expect(
            Self.patch(nil, nil, node)
                == ["metadata": ["labels": ["tier": .null], "annotations": ["nestbox.dev/pool-labels": .null]]])
        var lost = node
        lost.metadata.labels = ["own": "x", "tier": "a"]
        #expect(Self.patch(["tier": "a"], nil, lost) == ["metadata": ["labels": ["nestbox.dev/nodepool": "workers"]]])
    }

    @Test func taintsComeChangeAndGoAndOthersStay() {
        let node = Self.node(annotations: ["nestbox.dev/pool-taints": "gpu:NoSchedule"], taints: [Self.gpu, Self.foreign])
        let other: JSONValue = ["key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": "2026-01-01T00:00:00Z"]
        // For this very version of the node: two writers of one list would undo each other.
        #expect(
            Self.patch(nil, nil, node) == [
                "metadata": ["resourceVersion": "7", "annotations": ["nestbox.dev/pool-taints": .null]], "spec": ["taints": [other]],
            ])
        #expect(
            Self.patch(nil, [Taint(key: "gpu", value: "no", effect: "NoSchedule")], node) == [
                "metadata": ["resourceVersion": "7"],
                "spec": ["taints": [["key": "gpu", "value": "no", "effect": "NoSchedule"], other]],
            ])
        #expect(
            Self.patch(nil, [Self.gpu, Taint(key: "b", effect: "NoExecute")], node) == [
                "metadata": ["resourceVersion": "7", "annotations": ["nestbox.dev/pool-taints": "b:NoExecute,gpu:NoSchedule"]],
                "spec": [
                    "taints": [
                        ["key": "gpu", "value": "yes", "effect": "NoSchedule"], other, ["key": "b", "effect": "NoExecute"],
                    ]
                ],
            ])
    }

    @Test func aTaintThatATenantGaveUnderAnotherNameStays() {
        let theirs = Taint(key: "gpu", value: "mine", effect: "NoExecute")
        let node = Self.node(annotations: ["nestbox.dev/pool-taints": "gpu:NoSchedule"], taints: [theirs, Self.gpu])
        #expect(Self.patch(nil, nil, node)?["spec"] == ["taints": [["key": "gpu", "value": "mine", "effect": "NoExecute"]]])
    }
}
