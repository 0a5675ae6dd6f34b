import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import NodeJoin
import TestKubernetes
import Testing

@testable import Operator

/// Pools and nodes as the control-planes operator looks after them, on a real API server that is host and tenant at once. The test is
/// the rest of the world: the machines operator, kubelets, and the controller-manager.
struct PoolWorld: Sendable {
    let cluster: TestKubernetes
    let client: KubernetesClient
    let hostedCluster: HostedCluster
    static let namespace = "team-a"
    static let pool = "workers"

    static func with(_ body: @escaping @Sendable (PoolWorld) async throws -> Void) async throws {
        try await TestKubernetes.with { cluster in
            try await cluster.installKinds()
            try await cluster.withClient { client in
                let world = PoolWorld(cluster: cluster, client: client, hostedCluster: try await makeCluster(client))
                // The tenant's API is asked with the rights that the operator gives itself there, and no more.
                let access = try cluster.configuration(user: NestboxName.operatorUser, groups: [])
                let relay = KeyRelay()
                let sessions = TenantSessions(
                    logger: .quiet, rightsLost: { cluster, _ in Issue.record("the rights of \(cluster) do not suffice") },
                    statusChanged: { _ in }, nodeChanged: { relay.send(ObjectKey(name: $0)) })
                let uid = world.hostedCluster.metadata.uid ?? ""
                _ = try await sessions.open(cluster: ObjectKey(world.hostedCluster), clusterUID: uid, access: access)
                let controllers = PoolControllers(
                    client: client, sessions: sessions, events: EventRecorder(client: client, component: "test", logger: .quiet),
                    operatorNamespace: NestboxName.systemNamespace, clusters: Informer(client: client, logger: .quiet),
                    pools: Informer(client: client, logger: .quiet), machines: Informer(client: client, logger: .quiet), logger: .quiet)
                let (nodePool, node) = (controllers.nodePool(), controllers.node())
                relay.deliver(to: node)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await sessions.run() }
                    group.addTask { try await controllers.clusters.run() }
                    group.addTask { try await controllers.pools.run() }
                    group.addTask { try await controllers.machines.run() }
                    group.addTask { try await nodePool.run() }
                    group.addTask { try await node.run() }
                    defer { group.cancelAll() }
                    try await body(world)
                }
            }
        }
    }

    private static func makeCluster(_ client: KubernetesClient) async throws -> HostedCluster {
        try await eventually("the kinds to be served") { (try? await client.list(HostedCluster.self)) != nil }
        for name in [namespace, NestboxName.systemNamespace] { _ = try await client.create(Namespace(metadata: ObjectMeta(name: name))) }
        let version = try #require(KubernetesVersion(try await client.serverVersion()))
        var hosted = try await client.create(
            HostedCluster(
                metadata: ObjectMeta(name: "demo", namespace: namespace),
                spec: HostedClusterSpec(version: version, publish: PublishSpec(addresses: ["192.0.2.1"]))))
        var conditions = ConditionSet(nil, generation: hosted.metadata.generation)
        conditions.set("ValidConfiguration", true, reason: "Valid", message: "")
        hosted.status = HostedClusterStatus(conditions: conditions.list, version: version)
        hosted = try await client.updateStatus(hosted)
        // The namespace is there already: host and tenant are one here.
        for object in TenantObjects.access(try ClusterSettings(hosted.withDefaults())) {
            _ = try await client.apply(object, fieldManager: "test")
        }
        return hosted
    }

    // MARK: Pools and machines

    func makePool(replicas: Int, drainTimeout: String? = nil) async throws {
        let spec = NodePoolSpec(clusterName: hostedCluster.name, replicas: replicas, drainTimeout: drainTimeout)
        _ = try await client.create(NodePool(metadata: ObjectMeta(name: Self.pool, namespace: Self.namespace), spec: spec))
    }

    func scale(to replicas: Int) async throws {
        try await cluster.kubectl("scale", "nodepool", Self.pool, "-n", Self.namespace, "--replicas=\(replicas)")
    }

    func pool() async throws -> NodePool { try await client.get(NodePool.self, Self.pool, namespace: Self.namespace) }

    /// The words of the pool's condition once it has that status.
    func poolSays(_ type: String, _ status: String, containing text: String = "") async throws -> String {
        var said = ""
        try await eventually("the pool's \(type) to be \(status) with \"\(text)\"") {
            guard let condition = try await pool().status?.conditions?.named(type), condition.status == status else { return false }
            said = condition.message
            return text.isEmpty || said.contains(text)
        }
        return said
    }

    /// Registered and free.
    func addMachine(_ name: String, annotations: [String: String]? = nil) async throws {
        let number = name.unicodeScalars.reduce(0) { $0 + Int($1.value) } % 200
        var machine = try await client.create(
            Machine(
                metadata: ObjectMeta(name: name, annotations: annotations),
                spec: MachineSpec(address: "192.0.2.\(number)", sshKeySecret: "k")))
        machine.status = MachineStatus(phase: .available)
        _ = try await client.updateStatus(machine)
    }

    func machine(_ name: String) async throws -> Machine { try await client.get(Machine.self, name) }

    func expect(_ name: String, _ what: String, within limit: Duration = .seconds(120), _ condition: (Machine) -> Bool) async throws {
        do {
            try await eventually("\(name): \(what)", within: limit) { condition(try await machine(name)) }
        } catch {
            Issue.record("\(name) is not \(what): \(String(describing: try await machine(name).status))")
            throw error
        }
    }

    func phase(_ name: String, is phase: MachinePhase, within limit: Duration = .seconds(120)) async throws {
        try await expect(name, "\(phase.rawValue)", within: limit) { $0.status?.phase == phase }
    }

    func draining(_ name: String, reason: String, containing text: String = "", within limit: Duration = .seconds(120)) async throws {
        try await expect(name, "Draining for \(reason), with \"\(text)\"", within: limit) { machine in
            guard let condition = machine.status?.conditions?.named("Draining") else { return false }
            return condition.reason == reason && (text.isEmpty || condition.message.contains(text))
        }
    }

    /// The messages of the Machine's events of a reason.
    func events(_ reason: String, on machine: String) async throws -> [String] {
        try await client.list(Event.self, namespace: "default", fields: "involvedObject.name=\(machine)").items
            .filter { $0.reason == reason }.compactMap(\.message)
    }

    // MARK: What others do

    /// What comes of a join: the kubelet's Node, Ready.
    func join(_ name: String) async throws {
        try await phase(name, is: .claimed)
        try await eventually("the record of \(name)") { try await client.nodeRecord(name) != nil }
        // A Node from before the record is of an earlier life, and times have whole seconds.
        let record = try #require(try await client.nodeRecord(name)?.since)
        try await eventually("the next second") { Date() > record.addingTimeInterval(1) }
        _ = try await client.create(Node(metadata: ObjectMeta(name: name)))
        try await setReady(name, true, since: Date())
        try await phase(name, is: .ready)
    }

    func setReady(_ name: String, _ isReady: Bool, since: Date) async throws {
        try await retryOnConflict {
            var node = try await client.get(Node.self, name)
            node.status = NodeStatus(
                conditions: [
                    StatusCondition(
                        type: "Ready", status: isReady ? "True" : "Unknown", reason: "Test", lastTransitionTime: Timestamp.format(since))
                ], nodeInfo: NodeSystemInfo.of(kubelet: hostedCluster.spec?.version?.description ?? ""))
            _ = try await client.updateStatus(node)
        }
    }

    func node(_ name: String) async throws -> Node? { try await client.find(Node.self, name) }

    /// How far the machines operator is with a cleaning.
    func cleaning(_ name: String, ended: Bool) async throws {
        try await client.updateMachineStatus(name) { machine in
            let state: StepState = ended ? .succeeded : .running
            machine.status?.plan = PlanStatus(name: Plan.cleanName, steps: [StepStatus(name: Plan.stepThatEndsPods, state: state)])
            return true
        }
    }

    /// Cleaned and free again.
    func cleaned(_ name: String) async throws {
        try await phase(name, is: .cleaning)
        try await client.updateMachineStatus(name) { machine in
            machine.status = MachineStatus(phase: .available, lastEpoch: machine.status?.lastEpoch, lastTenant: Self.namespace)
            return true
        }
    }

    // MARK: The tenant's pods

    @discardableResult
    func addPod(
        _ name: String, on node: String, labels: [String: String]? = nil, phase: String = "Running", gracePeriod: Int? = nil,
        _ change: (inout Pod) -> Void = { _ in }
    ) async throws -> Pod {
        var pod = Pod(
            metadata: ObjectMeta(name: name, namespace: "default", labels: labels),
            spec: PodSpec(
                containers: [Container(name: "c", image: "i")], terminationGracePeriodSeconds: gracePeriod, nodeName: node))
        change(&pod)
        pod = try await client.create(pod)
        pod.status = PodStatus(
            phase: phase,
            conditions: [StatusCondition(type: "Ready", status: "True", lastTransitionTime: Timestamp.format(Date()))])
        return try await client.updateStatus(pod)
    }

    func isGoing(_ pod: String) async throws -> Bool {
        try await client.get(Pod.self, pod, namespace: "default").metadata.isBeingDeleted
    }

    /// As its kubelet, when its containers have ended.
    func endPod(_ name: String) async throws {
        try await client.delete(Pod.self, name, namespace: "default", gracePeriodSeconds: 0)
    }

    /// A budget as the controller-manager would keep it.
    func setBudget(_ name: String, for labels: [String: String], allowed: Int) async throws {
        let spec = PodDisruptionBudgetSpec(minAvailable: 1, selector: LabelSelector(matchLabels: labels))
        let metadata = ObjectMeta(name: name, namespace: "default")
        let status = PodDisruptionBudgetStatus(
            disruptionsAllowed: allowed, currentHealthy: 1 + allowed, desiredHealthy: 1, expectedPods: 1 + allowed)
        if hostedCluster.spec?.version?.servesPodDisruptionBudgetV1 == true {
            var budget = try await client.apply(PodDisruptionBudget(metadata: metadata, spec: spec), fieldManager: "test")
            budget.status = status
            budget.status?.observedGeneration = budget.metadata.generation
            _ = try await client.updateStatus(budget)
        } else {
            var budget = try await client.apply(PodDisruptionBudgetV1Beta1(metadata: metadata, spec: spec), fieldManager: "test")
            budget.status = status
            budget.status?.observedGeneration = budget.metadata.generation
            _ = try await client.updateStatus(budget)
        }
    }
}

extension NodeSystemInfo {
    /// The API server wants all of it.
    fileprivate static func of(kubelet version: String) -> NodeSystemInfo {
        NodeSystemInfo(
            machineID: "", systemUUID: "", bootID: "", kernelVersion: "", osImage: "", operatingSystem: "linux", architecture: "amd64",
            containerRuntimeVersion: "", kubeletVersion: version, kubeProxyVersion: version)
    }
}
