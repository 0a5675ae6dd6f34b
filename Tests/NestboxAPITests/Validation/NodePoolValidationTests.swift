import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@Suite struct NodePoolValidationTests {
    static func pool(_ spec: NodePoolSpec, name: String = "workers") -> NodePool {
        NodePool(metadata: ObjectMeta(name: name, namespace: "tenants"), spec: spec)
    }

    static let key =
        "is not a label key: 63 letters, digits, dashes, underscores and dots at most, a letter or digit at both ends, after an optional "
        + "DNS name and a slash"
    static let value =
        "is not a label value: empty, or 63 letters, digits, dashes, underscores and dots at most, a letter or digit at both ends"
    static let foreign = "a kubelet may not give its node this label; use one of another domain, or of node.kubernetes.io"

    static let wrong: [(String, NodePoolSpec)] = [
        ("spec.clusterName: is needed: the HostedCluster of the same namespace", NodePoolSpec()),
        ("spec.clusterName: \"a/b\" \(HostedClusterValidationTests.label)", NodePoolSpec(clusterName: "a/b")),
        ("spec.replicas: -1 is less than 0", NodePoolSpec(clusterName: "c", replicas: -1)),
        ("spec.replicas: 5001 is more than the 5000 nodes that Kubernetes is made for", NodePoolSpec(clusterName: "c", replicas: 5001)),
        (
            "spec.version: v1.19.0 is not a version that this Nestbox knows: it runs 1.20 to 1.36",
            NodePoolSpec(clusterName: "c", version: KubernetesVersion(1, 19, 0))
        ),
        (
            "spec.upgrade.type: \"Rolling\" is not one of Replace, InPlace",
            NodePoolSpec(clusterName: "c", upgrade: UpgradeSpec(type: "Rolling"))
        ),
        ("spec.upgrade.maxSurge: -1 is less than 0", NodePoolSpec(clusterName: "c", upgrade: UpgradeSpec(maxSurge: -1))),
        (
            "spec.upgrade.maxUnavailable: is 0, and so is maxSurge: no node could ever be upgraded",
            NodePoolSpec(clusterName: "c", upgrade: UpgradeSpec(maxUnavailable: 0))
        ),
        (
            "spec.upgrade.readyTimeout: 5s is less than 30s", NodePoolSpec(clusterName: "c", upgrade: UpgradeSpec(readyTimeout: "5s"))
        ),
        ("spec.drainTimeout: \"soon\" is not a duration such as 168h or 1h30m", NodePoolSpec(clusterName: "c", drainTimeout: "soon")),
        ("spec.drainTimeout: -60.0s is less than 0s", NodePoolSpec(clusterName: "c", drainTimeout: "-1m")),
        (
            "spec.autoRepair.unhealthyTimeout: 5s is less than 1m0s",
            NodePoolSpec(clusterName: "c", autoRepair: AutoRepairSpec(unhealthyTimeout: "5s"))
        ),
        (
            "spec.autoRepair.maxConcurrent: -1 is less than 0",
            NodePoolSpec(clusterName: "c", autoRepair: AutoRepairSpec(maxConcurrent: -1))
        ),
        (
            "spec.autoRepair.maxUnhealthy: most is neither a number of nodes nor a percentage such as 40%",
            NodePoolSpec(clusterName: "c", autoRepair: AutoRepairSpec(maxUnhealthy: "most"))
        ),
        (
            "spec.autoRepair.maxUnhealthy: 140% is neither a number of nodes nor a percentage such as 40%",
            NodePoolSpec(clusterName: "c", autoRepair: AutoRepairSpec(maxUnhealthy: "140%"))
        ),
        ("spec.labels[a b]: \"a b\" \(key)", NodePoolSpec(clusterName: "c", labels: ["a b": "x"])),
        ("spec.labels[]: \"\" \(key)", NodePoolSpec(clusterName: "c", labels: ["": "x"])),
        ("spec.labels[a/b/c]: \"a/b/c\" \(key)", NodePoolSpec(clusterName: "c", labels: ["a/b/c": "x"])),
        ("spec.labels[/b]: \"/b\" \(key)", NodePoolSpec(clusterName: "c", labels: ["/b": "x"])),
        ("spec.labels[tier]: \"a,b\" \(value)", NodePoolSpec(clusterName: "c", labels: ["tier": "a,b"])),
        (
            "spec.labels[node-role.kubernetes.io/worker]: \(foreign)",
            NodePoolSpec(clusterName: "c", labels: ["node-role.kubernetes.io/worker": ""])
        ),
        ("spec.labels[kubernetes.io/hostname]: \(foreign)", NodePoolSpec(clusterName: "c", labels: ["kubernetes.io/hostname": "a"])),
        ("spec.labels[x.k8s.io/y]: \(foreign)", NodePoolSpec(clusterName: "c", labels: ["x.k8s.io/y": "a"])),
        (
            "spec.labels[nestbox.dev/nodepool]: labels of nestbox.dev are Nestbox's own",
            NodePoolSpec(clusterName: "c", labels: ["nestbox.dev/nodepool": "other"])
        ),
        (
            "spec.taints[0].effect: \"Never\" is not one of NoSchedule, PreferNoSchedule, NoExecute",
            NodePoolSpec(clusterName: "c", taints: [Taint(key: "a", effect: "Never")])
        ),
        ("spec.taints[0].key: \"\" \(key)", NodePoolSpec(clusterName: "c", taints: [Taint(key: "", effect: "NoExecute")])),
        (
            "spec.taints[0].value: \"a:b\" \(value)",
            NodePoolSpec(clusterName: "c", taints: [Taint(key: "a", value: "a:b", effect: "NoExecute")])
        ),
        (
            "spec.taints[1]: a:NoExecute is there already",
            NodePoolSpec(
                clusterName: "c", taints: [Taint(key: "a", value: "x", effect: "NoExecute"), Taint(key: "a", effect: "NoExecute")])
        ),
        (
            "spec.taints[0].timeAdded: is set by the cluster alone",
            NodePoolSpec(clusterName: "c", taints: [Taint(key: "a", effect: "NoExecute", timeAdded: "2026-01-01T00:00:00Z")])
        ),
        (
            "spec.machineSelector.matchExpressions[0].operator: \"Is\" is not one of In, NotIn, Exists, DoesNotExist",
            NodePoolSpec(
                clusterName: "c", machineSelector: LabelSelector(matchExpressions: [.init(key: "a", operator: "Is", values: ["b"])]))
        ),
        (
            "spec.machineSelector.matchExpressions[0].values: In needs a value at least",
            NodePoolSpec(clusterName: "c", machineSelector: LabelSelector(matchExpressions: [.init(key: "a", operator: "In")]))
        ),
        (
            "spec.machineSelector.matchExpressions[0].values: Exists takes no values",
            NodePoolSpec(
                clusterName: "c", machineSelector: LabelSelector(matchExpressions: [.init(key: "a", operator: "Exists", values: ["b"])]))
        ),
        (
            "spec.machineSelector.matchLabels[a]: \"b c\" \(value)",
            NodePoolSpec(clusterName: "c", machineSelector: LabelSelector(matchLabels: ["a": "b c"]))
        ),
    ]

    @Test(arguments: wrong) func saysWhatIsWrong(line: String, spec: NodePoolSpec) {
        #expect(Self.pool(spec).validate().map(\.description) == [line])
    }

    @Test(arguments: [
        NodePoolSpec(clusterName: "c"), NodePoolSpec(clusterName: "c", replicas: 0, drainTimeout: "0s"),
        NodePoolSpec(clusterName: "c", upgrade: UpgradeSpec(type: "InPlace", maxSurge: 1, maxUnavailable: 0)),
        NodePoolSpec(
            clusterName: "c",
            labels: [
                "tier": "", "example.com/Tier_1": "A.b-c", "node.kubernetes.io/instance-type": "m1", "topology.kubernetes.io/zone": "z",
                "x.node.kubernetes.io/y": "z", "mykubernetes.io/x": "y",
            ]),
        NodePoolSpec(
            clusterName: "c", taints: [Taint(key: "a", effect: "NoExecute"), Taint(key: "a", effect: "NoSchedule")],
            machineSelector: LabelSelector()),
    ])
    func takesWhatIsRight(spec: NodePoolSpec) {
        #expect(Self.pool(spec).validate() == [])
    }

    @Test func itsNameIsALabelOfItsNodes() {
        let name = HostedClusterValidationTests.long
        #expect(Self.pool(NodePoolSpec(clusterName: "c"), name: name).validate().map(\.path) == ["metadata.name"])
    }

    @Test func itsClusterStays() {
        let (old, new) = (Self.pool(NodePoolSpec(clusterName: "a")), Self.pool(NodePoolSpec(clusterName: "b", replicas: 7)))
        #expect(
            new.validateUpdate(from: old).map(\.description) == [
                "spec.clusterName: cannot be changed from a to b: its nodes belong to that cluster; make another pool"
            ])
        #expect(old.validateUpdate(from: old) == [])
    }

    @Test(arguments: [
        (KubernetesVersion(1, 30, 0), nil), (KubernetesVersion(1, 27, 0), nil),
        (KubernetesVersion(1, 26, 0), "a kubelet v1.26.0 is too old for an API server v1.30.1, which takes 1.27 and newer"),
        (KubernetesVersion(1, 31, 0), "a kubelet v1.31.0 is newer than its API server v1.30.1"),
    ])
    func kubeletsGoWithTheirAPIServer(kubelet: KubernetesVersion, refusal: String?) {
        let cluster = HostedClusterUpdateTests.cluster(HostedClusterSpec(version: KubernetesVersion(1, 30, 1)))
        let errors = Self.pool(NodePoolSpec(clusterName: "demo", version: kubelet)).validate(in: cluster)
        #expect(errors == (refusal.map { [FieldError("spec.version", $0)] } ?? []))
    }

    /// A pool must not be ahead of a control plane that is still on its way.
    @Test func theServingVersionCountsToo() {
        let cluster = HostedClusterUpdateTests.cluster(
            HostedClusterSpec(version: KubernetesVersion(1, 31, 0)), serving: KubernetesVersion(1, 30, 1))
        let pool = Self.pool(NodePoolSpec(clusterName: "demo", version: KubernetesVersion(1, 31, 0)))
        #expect(pool.validate(in: cluster).map(\.message) == ["a kubelet v1.31.0 is newer than its API server v1.30.1"])
        #expect(Self.pool(NodePoolSpec(clusterName: "demo")).validate(in: cluster) == [])
    }
}
