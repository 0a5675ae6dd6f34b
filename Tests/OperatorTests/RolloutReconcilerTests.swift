import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import TestKubernetes
import Testing

@testable import Operator

/// A pool and its nodes on a real API server, which is the host's and the tenant's too; what machines do, the test writes.
@Suite(.integration, .kubernetes, .serialized, .timeLimit(.minutes(10))) struct RolloutReconcilerTests {
    @Test func aPoolRemembersItsTemplatesAndSaysWhatItWaitsFor() async throws {
        try await Pool.with(["a", "b"]) { pool in
            try await pool.pass()
            var seen = try await pool.pool()
            let first = try #require(seen.status?.revision)
            #expect(seen.status?.history?.map(\.revision) == [first])
            #expect(seen.status?.updatedReplicas == 2)
            #expect(seen.status?.conditions?.named("Progressing")?.reason == "RolledOut")

            try await pool.set { $0.nodeConfiguration = NodeConfiguration(kubelet: ["maxPods": 50], preJoinCommands: ["true"]) }
            try await pool.pass()
            seen = try await pool.pool()
            #expect(seen.status?.history?.map(\.number) == [1, 2])
            #expect(seen.status?.history?.last?.nodeConfiguration == ["kubelet": ["maxPods": 50], "preJoinCommands": ["true"]])
            #expect(seen.status?.updatedReplicas == 0)
            #expect(seen.status?.conditions?.named("Progressing")?.reason == "RollingOut")
            #expect(try await pool.machine("b").status?.phase == .upgrading)
            #expect(try await pool.machine("a").status?.phase == .ready)
            // A pass that learns nothing writes nothing.
            let version = try await pool.pool().metadata.resourceVersion
            try await pool.pass()
            #expect(try await pool.pool().metadata.resourceVersion == version)
        }
    }

    @Test func aRefusedConfigurationTouchesNothing() async throws {
        try await Pool.with(["a"]) { pool in
            try await pool.pass()
            let before = try await pool.machine("a").metadata.resourceVersion
            try await pool.set { $0.nodeConfiguration = NodeConfiguration(kubelet: ["clusterDNS": ["1.2.3.4"]]) }
            try await pool.pass()
            let seen = try await pool.pool()
            #expect(
                seen.status?.conditions?.named("ValidConfiguration")?.message.contains("spec.nodeConfiguration.kubelet.clusterDNS") == true)
            #expect(seen.status?.history?.count == 1)
            #expect(try await pool.machine("a").metadata.resourceVersion == before)
        }
    }

    @Test func aNodeIsUpgradedWhereItIs() async throws {
        try await Pool.with(["a"]) { pool in
            let other = "\(pool.namespace)-b"
            try await pool.makeNode("a")
            try await pool.pass()
            try await pool.passNodes()
            #expect(try await pool.node("a").metadata.labels?["nestbox.dev/nodepool"] == "workers")
            try await pool.set { $0.version = KubernetesVersion(1, 20, 3) }
            try await pool.pass()
            let target = try #require(try await pool.pool().status?.revision)

            try await pool.passNodes(3)
            #expect(try await pool.node("a").spec?.unschedulable == true)
            let ticket = try #require(try await pool.ticket("a"))
            #expect(ticket.isUpgrade(to: target, epoch: 1) && ticket.kubernetesVersion == "v1.20.3" && ticket.bootstrapKubeconfig.isEmpty)
            #expect(try await pool.machine("a").status?.upgrade?.drainedAt != nil)
            #expect(try await pool.client.find(Node.self, other) == nil)

            // The machines operator's part.
            let started = Date()
            try await pool.change("a") { $0.upgrade?.kubeletStartedAt = Timestamp.format(started) }
            try await pool.passNodes()
            #expect(try await pool.machine("a").status?.phase == .upgrading)
            #expect(try await pool.machine("a").status?.message == "upgrading: its Node reports kubelet v1.20.2")
            try await pool.report("a", kubelet: "v1.20.3", heartbeat: started)
            try await pool.passNodes()
            let machine = try await pool.machine("a")
            #expect(machine.status?.phase == .ready && machine.status?.upgrade == nil && machine.status?.message == nil)
            #expect(machine.status?.claim?.revision == target && machine.status?.facts?.kubeletVersion == "v1.20.3")
            #expect(try await pool.node("a").spec?.unschedulable != true)
            #expect(try await pool.ticket("a") == nil)
            try await pool.pass()
            #expect(try await pool.pool().status?.conditions?.named("Progressing")?.reason == "RolledOut")
        }
    }

    @Test func aFailedUpgradeLeavesANodeAndIsTurnedRoundByUndo() async throws {
        try await Pool.with(["a", "b"]) { pool in
            for name in ["a", "b"] { try await pool.makeNode(name) }
            try await pool.pass()
            try await pool.set { $0.nodeConfiguration = NodeConfiguration(kubelet: ["maxPods": "many"]) }
            try await pool.pass()
            try await pool.passNodes(3)
            try await pool.change("b") {
                $0.upgrade?.failure = "the kubelet does not come up"
                $0.upgrade?.failedAt = Timestamp.format(Date())
            }
            try await pool.passNodes()
            #expect(try await pool.machine("b").status?.phase == .ready)
            #expect(try await pool.node("b").spec?.unschedulable != true)
            try await pool.pass()
            let paused = try #require(try await pool.pool().status?.conditions?.named("RolloutPaused"))
            #expect(paused.status == "True" && paused.message.contains("b: the kubelet does not come up"))
            #expect(try await pool.machine("a").status?.phase == .ready)

            try await pool.set { $0.nodeConfiguration = nil }
            try await pool.pass()
            try await pool.passNodes()
            #expect(try await pool.pool().status?.conditions?.named("RolloutPaused")?.status == "False")
            let machine = try await pool.machine("b")
            #expect(machine.status?.upgrade == nil && machine.status?.message == nil)
        }
    }

    @Test func aCordonOfTheTenantsOutlivesAnUpgrade() async throws {
        try await Pool.with(["a"]) { pool in
            try await pool.makeNode("a")
            _ = try await pool.client.patch(Node.self, pool.name("a"), merge: ["spec": ["unschedulable": true]])
            try await pool.pass()
            try await pool.set { $0.version = KubernetesVersion(1, 20, 3) }
            try await pool.pass()
            try await pool.passNodes(3)
            let started = Date()
            try await pool.change("a") { $0.upgrade?.kubeletStartedAt = Timestamp.format(started) }
            try await pool.report("a", kubelet: "v1.20.3", heartbeat: started)
            try await pool.passNodes()
            #expect(try await pool.machine("a").status?.phase == .ready)
            #expect(try await pool.node("a").spec?.unschedulable == true)
        }
    }

    @Test func labelsAndTaintsReachLiveNodes() async throws {
        try await Pool.with(["a"]) { pool in
            try await pool.makeNode("a")
            try await pool.pass()
            try await pool.set {
                $0.labels = ["tier": "gold"]
                $0.taints = [Taint(key: "slow", effect: "PreferNoSchedule")]
            }
            try await pool.passNodes()
            var node = try await pool.node("a")
            #expect(node.metadata.labels?["tier"] == "gold" && node.spec?.taints?.contains { $0.key == "slow" } == true)
            let others = node.spec?.taints?.filter { $0.key != "slow" }
            try await pool.set {
                $0.labels = nil
                $0.taints = nil
            }
            try await pool.passNodes()
            node = try await pool.node("a")
            #expect(node.metadata.labels?["tier"] == nil)
            #expect(node.spec?.taints ?? [] == others ?? [])
            #expect(try await pool.machine("a").status?.phase == .ready)
        }
    }
}

/// A pool whose Machines are nodes already, of v1.20.2.
private struct Pool {
    let client: KubernetesClient
    let namespace: String
    let names: [String]
    let pools: NodePoolReconciler
    let nodes: NodeReconciler

    static func with(_ names: [String], _ body: (Pool) async throws -> Void) async throws {
        let cluster = try TestKubernetes.current()
        // Another suite may be at it, too.
        try await eventually("the kinds to be there") { (try? await cluster.installKinds()) != nil }
        try await cluster.withClient { client in
            try await eventually("the kinds to be served") { (try? await client.list(Machine.self)) != nil }
            let namespace = try await cluster.makeNamespace(client)
            var tenant = try await client.create(
                HostedCluster(
                    metadata: ObjectMeta(name: "demo", namespace: namespace), spec: HostedClusterSpec(version: KubernetesVersion(1, 20, 3)))
            )
            var conditions = ConditionSet(nil, generation: tenant.metadata.generation)
            conditions.set("ValidConfiguration", true, reason: "Valid", message: "")
            tenant.status = HostedClusterStatus(conditions: conditions.list, version: KubernetesVersion(1, 20, 3))
            tenant = try await client.updateStatus(tenant)
            let uid = tenant.metadata.uid ?? ""
            let sessions = TenantSessions(logger: .quiet, rightsLost: { _, _ in }, statusChanged: { _ in }, nodeChanged: { _ in })
            let session = try await sessions.open(cluster: ObjectKey(tenant), clusterUID: uid, access: cluster.configuration())
            let spec = NodePoolSpec(
                clusterName: "demo", replicas: names.count, version: KubernetesVersion(1, 20, 2), upgrade: UpgradeSpec(type: "InPlace"))
            let made = try await client.create(NodePool(metadata: ObjectMeta(name: "workers", namespace: namespace), spec: spec))
            let events = EventRecorder(client: client, component: "test", logger: .quiet)
            let pool = Pool(
                client: client, namespace: namespace, names: names,
                pools: NodePoolReconciler(client: client, sessions: sessions, events: events, logger: .quiet),
                nodes: NodeReconciler(
                    client: client, sessions: sessions, machines: Informer(client: client, logger: .quiet), events: events,
                    operatorNamespace: namespace, logger: .quiet))
            for (index, name) in names.enumerated() {
                var machine = try await client.create(
                    Machine(
                        metadata: ObjectMeta(name: pool.name(name)), spec: MachineSpec(address: "192.0.2.\(index + 1)", sshKeySecret: "k")))
                var conditions = ConditionSet(nil, generation: 1)
                conditions.set("NodeReady", true, reason: "NodeReady", message: "")
                machine.status = MachineStatus(
                    phase: .ready, conditions: conditions.list,
                    claim: MachineClaim(
                        namespace: namespace, nodePool: "workers", nodePoolUID: made.metadata.uid ?? "", hostedCluster: "demo",
                        hostedClusterUID: uid, epoch: 1, podCIDR: "10.244.\(index).0/24",
                        revision: NodeTemplate(version: KubernetesVersion(1, 20, 2), configuration: nil).revision),
                    facts: MachineFacts(kubeletVersion: "v1.20.2"))
                _ = try await client.updateStatus(machine)
            }
            // The first pass writes the pool's finalizer and owner.
            try await pool.pass(2)
            do {
                try await body(pool)
            } catch {
                await session.client.shutdown()
                throw error
            }
            await session.client.shutdown()
            for name in names {
                try await client.deleteIfPresent(Machine.self, pool.name(name))
                try await client.deleteIfPresent(Node.self, pool.name(name))
            }
        }
    }

    /// Machines and Nodes have no namespace.
    func name(_ name: String) -> String { "\(namespace)-\(name)" }

    func pass(_ times: Int = 1) async throws {
        for _ in 0..<times { _ = try await pools.reconcile(ObjectKey(namespace: namespace, name: "workers")) }
    }

    func passNodes(_ times: Int = 1) async throws {
        for _ in 0..<times { for name in names { _ = try await nodes.reconcile(ObjectKey(name: self.name(name))) } }
    }

    func pool() async throws -> NodePool { try await client.get(NodePool.self, "workers", namespace: namespace) }
    func machine(_ name: String) async throws -> Machine { try await client.get(Machine.self, self.name(name)) }
    func node(_ name: String) async throws -> Node { try await client.get(Node.self, self.name(name)) }

    func ticket(_ name: String) async throws -> JoinTicket? {
        let secret = JoinTicket.secretName(machine: self.name(name))
        return try await client.find(Secret.self, secret, namespace: namespace).flatMap(JoinTicket.init)
    }

    func set(_ change: (inout NodePoolSpec) -> Void) async throws {
        try await retryOnConflict {
            var pool = try await pool()
            var spec = pool.spec ?? NodePoolSpec()
            change(&spec)
            pool.spec = spec
            _ = try await client.update(pool)
        }
    }

    func change(_ name: String, _ change: (inout MachineStatus) -> Void) async throws {
        try await client.updateMachineStatus(self.name(name)) { machine in
            guard var status = machine.status else { return false }
            change(&status)
            machine.status = status
            return true
        }
    }

    func makeNode(_ name: String) async throws {
        _ = try await client.create(Node(metadata: ObjectMeta(name: self.name(name))))
        try await report(name, kubelet: "v1.20.2", heartbeat: Date())
    }

    /// As a kubelet does.
    func report(_ name: String, kubelet: String, heartbeat: Date) async throws {
        let patch: JSONValue = [
            "status": [
                "nodeInfo": [
                    "kubeletVersion": .string(kubelet), "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "", "osImage": "",
                    "containerRuntimeVersion": "", "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
                ],
                "conditions": [
                    [
                        "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "",
                        "lastHeartbeatTime": .string(Timestamp.format(heartbeat)),
                        "lastTransitionTime": .string(Timestamp.format(heartbeat)),
                    ]
                ],
            ]
        ]
        _ = try await client.patch(Node.self, self.name(name), merge: patch, subresource: "status")
    }
}
