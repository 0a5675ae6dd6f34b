import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import AdminCLI

@Suite struct RolloutTests {
    static func pool(
        _ replicas: Int, updated: Int, ready: Int, held: Int? = nil, progressing: (String, String)? = nil, observed: Int = 2
    ) -> NodePool {
        var conditions = ConditionSet(nil, generation: observed)
        if let progressing { conditions.set("Progressing", false, reason: progressing.0, message: progressing.1) }
        return NodePool(
            metadata: ObjectMeta(name: "workers", namespace: "a", generation: 2), spec: NodePoolSpec(clusterName: "c", replicas: replicas),
            status: NodePoolStatus(
                observedGeneration: observed, conditions: conditions.list, replicas: held ?? replicas, readyReplicas: ready,
                updatedReplicas: updated))
    }

    @Test(arguments: [
        (pool(3, updated: 3, ready: 3), RolloutProgress.done),
        (pool(0, updated: 0, ready: 0), .done),
        (pool(3, updated: 3, ready: 3, observed: 1), .waiting("its new spec is not looked at yet")),
        (pool(3, updated: 1, ready: 3), .waiting("1 out of 3 nodes have been updated")),
        (pool(3, updated: 3, ready: 3, held: 4), .waiting("1 old nodes are to go")),
        (pool(3, updated: 3, ready: 2), .waiting("2 of 3 updated nodes are ready")),
        (pool(3, updated: 3, ready: 3, progressing: ("RollingOut", "1 is drained")), .waiting("1 is drained")),
        (pool(3, updated: 1, ready: 3, progressing: ("MachineFailed", "Machine a: no")), .stopped("Machine a: no")),
        (pool(3, updated: 1, ready: 3, progressing: ("Paused", "1 of 3")), .stopped("1 of 3")),
        (pool(3, updated: 1, ready: 3, progressing: ("NoSpareMachine", "register one")), .waiting("register one")),
    ])
    func progress(pool: NodePool, progress: RolloutProgress) {
        #expect(RolloutProgress(pool) == progress)
    }

    static func revision(_ number: Int, _ version: KubernetesVersion, _ configuration: [String: JSONValue]? = nil) -> NodePoolRevision {
        NodePoolRevision(
            number: number, revision: "r\(number)", version: version, nodeConfiguration: configuration, createdAt: "2026-01-01T00:00:00Z")
    }

    static let versions = (KubernetesVersion(1, 20, 2), KubernetesVersion(1, 20, 3))

    static func withHistory(_ history: [NodePoolRevision], spec: NodePoolSpec) -> NodePool {
        var pool = pool(1, updated: 1, ready: 1)
        pool.spec = spec
        pool.status?.history = history
        pool.status?.revision = history.last?.revision
        return pool
    }

    @Test func undoPutsThePreviousTemplateBack() throws {
        let pool = Self.withHistory(
            [
                Self.revision(1, Self.versions.0),
                Self.revision(
                    2, Self.versions.0, ["kubelet": ["maxPods": 5, "evictionHard": ["a": "b"]], "sysctls": ["vm.swappiness": "1"]]),
                Self.revision(3, Self.versions.1, ["kubelet": ["maxPods": 6]]),
            ],
            spec: NodePoolSpec(clusterName: "c", version: Self.versions.1, nodeConfiguration: NodeConfiguration(kubelet: ["maxPods": 6])))
        let earlier = try pool.earlierRevision(nil)
        #expect(earlier.number == 2)
        #expect(
            try pool.patch(backTo: earlier) == [
                "spec": [
                    "version": "v1.20.2",
                    "nodeConfiguration": ["kubelet": ["maxPods": 5, "evictionHard": ["a": "b"]], "sysctls": ["vm.swappiness": "1"]],
                ]
            ])
        // What the earlier one had not is taken away.
        #expect(
            try pool.patch(backTo: pool.earlierRevision(1)) == ["spec": ["version": "v1.20.2", "nodeConfiguration": .null]])
        #expect(try pool.patch(backTo: pool.earlierRevision(3)) == nil)
        #expect(throws: CommandFailure.self) { try pool.earlierRevision(9) }
        #expect(throws: CommandFailure.self) { try Self.pool(1, updated: 1, ready: 1).earlierRevision(nil) }
    }

    /// A version that is left to the cluster stays so, unless it was another one.
    @Test func undoLeavesToTheClusterWhatIsTheClusters() throws {
        let same = Self.withHistory(
            [Self.revision(1, Self.versions.1), Self.revision(2, Self.versions.1, ["sysctls": ["a.b": "1"]])],
            spec: NodePoolSpec(clusterName: "c", nodeConfiguration: NodeConfiguration(sysctls: ["a.b": "1"])))
        #expect(try same.patch(backTo: same.earlierRevision(nil)) == ["spec": ["nodeConfiguration": .null]])
        let followed = Self.withHistory(
            [Self.revision(1, Self.versions.0), Self.revision(2, Self.versions.1)], spec: NodePoolSpec(clusterName: "c"))
        #expect(try followed.patch(backTo: followed.earlierRevision(nil)) == ["spec": ["version": "v1.20.2"]])
    }
}
