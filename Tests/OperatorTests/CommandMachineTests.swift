import ArtifactStore
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import NodeJoin
import TestKubernetes
import Testing

@testable import Operator

/// Machines that nobody reaches, as pools and requests see them.
@Suite struct CommandMachineDecisionTests {
    static func machine(_ name: String, nodePool: String? = "workers") -> Machine {
        var machine = PoolDecisionTests.free(name)
        machine.spec = MachineSpec(
            address: "192.0.2.\(name.utf8.first ?? 0)", allowedNamespaces: ["tenants"], joinMethod: .command, nodePool: nodePool)
        return machine
    }

    @Test func oneIsForItsPoolAloneAndGoesBeforeOthers() {
        let machines = [PoolDecisionTests.free("a"), Self.machine("z"), Self.machine("b", nodePool: "others")]
        let pool = PoolDecisionTests.pool(replicas: 3, selector: LabelSelector(matchLabels: ["rack": "12"]))
        #expect(PoolDecision(pool: pool, cluster: PoolDecisionTests.cluster, machines: machines).claims.map(\.machine) == ["z"])
        let any = PoolDecisionTests.pool(replicas: 1)
        #expect(PoolDecision(pool: any, cluster: PoolDecisionTests.cluster, machines: machines).claims.map(\.machine) == ["z"])
    }

    @Test(arguments: [MachineVerb.check, .clean, .release, .logs, .acceptHostKey, .tryKey])
    func whatNeedsSomebodyThereIsRefused(verb: MachineVerb) {
        let decision = RequestDecision(MachineRequest(id: "1", verb: verb), on: Self.machine("z"))
        #expect(decision?.result == .refused && decision?.message.contains("nestbox token command z") == true)
    }

    @Test func aPersonMayTakeItOutOfUse() {
        let decision = RequestDecision(MachineRequest(id: "1", verb: .quarantine, reason: "stolen"), on: Self.machine("z"))
        #expect(decision?.result == .succeeded && decision?.status?.phase == .quarantined)
    }
}

/// The life of one, on a real API server.
@Suite(.integration, .serialized, .timeLimit(.minutes(10))) struct CommandMachineTests {
    /// The machines operator's part, which needs no machine.
    private static func reconciler(_ client: KubernetesClient, _ published: PublishedFiles) -> MachineReconciler {
        MachineReconciler(
            client: client, artifacts: ArtifactStore(root: "/nonexistent", logger: .quiet),
            nodeProgram: LocalFile(path: "/bin/true", sha256: ""), published: published,
            events: EventRecorder(client: client, component: "test", logger: .quiet),
            operatorNamespace: "nestbox-system", logger: .quiet)
    }

    @Test func itIsRegisteredClaimedAndGivenATokenOnce() async throws {
        try await PoolWorld.with { world in
            let published = PublishedFiles()
            let reconciler = Self.reconciler(world.client, published)
            try await world.makePool(replicas: 1)
            _ = try await world.client.create(
                Machine(
                    metadata: ObjectMeta(name: "branch"),
                    spec: MachineSpec(
                        address: "192.0.2.77", allowedNamespaces: [PoolWorld.namespace], joinMethod: .command, nodePool: PoolWorld.pool)))
            // The first adds the finalizer.
            for _ in 0..<2 { _ = try await reconciler.reconcile(ObjectKey(name: "branch")) }
            try await world.phase("branch", is: .claimed)
            #expect(try await world.machine("branch").status?.facts?.architecture == "amd64")
            let key = ObjectKey(namespace: "nestbox-system", name: MachineScript.ticketSecret(machine: "branch"))
            try await eventually("the ticket") { try await world.client.find(Secret.self, key) != nil }
            let ticket = try #require(try await world.client.joinTicket(of: world.machine("branch"), in: "nestbox-system"))
            let token = try #require(ticket.token)
            #expect(ticket.bootstrapKubeconfig.contains(token))
            let made = try await world.client.get(Secret.self, "bootstrap-token-\(token.prefix(6))", namespace: "kube-system")
            #expect(made.metadata.labels?["nestbox.dev/machine"] == "branch")

            // Nobody runs the command: no other token takes its place, and the pool is not held up.
            _ = try await world.client.patch(
                Secret.self, key.name, namespace: key.namespace,
                merge: ["stringData": ["expires": "2026-01-01T00:00:00Z"]])
            try await world.cluster.kubectl("label", "machine", "branch", "look=again")
            try await world.phase("branch", is: .quarantined)
            try await eventually("the ticket to go") { try await world.client.find(Secret.self, key) == nil }
            #expect(try await world.client.nodeRecord("branch") == nil)
            #expect(try await world.events("TokenExpired", on: "branch").count == 1)

            // What was begun can be cleaned away, by a script that is served as long as the Machine is there.
            _ = try await reconciler.reconcile(ObjectKey(name: "branch"))
            let script = try #require(try await world.machine("branch").status?.script)
            #expect(script.plan == "Clean")
            guard case .text(let text) = published[script.sha256] else { throw TestFailure() }
            #expect(text.contains("owner=") && !text.contains("InstallHostKeys"))
            try await world.client.delete(Machine.self, "branch")
            for _ in 0..<2 { _ = try await reconciler.reconcile(ObjectKey(name: "branch")) }
            #expect(published[script.sha256] == nil)
            #expect(try await world.client.find(Machine.self, "branch") == nil)
        }
    }

    private struct TestFailure: Error {}
}
