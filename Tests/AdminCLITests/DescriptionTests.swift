import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import AdminCLI

@Suite struct DescriptionTests {
    @Test func aMachineShowsItsPlanConditionsAndEvents() {
        let plan = PlanStatus(
            name: "Join",
            steps: [
                StepStatus(name: "push", state: .succeeded), StepStatus(name: "start", state: .failed, message: "exit code 1:\nno kubelet"),
            ])
        var machine = Machine(
            metadata: ObjectMeta(name: "worker-1", labels: ["gpu": "yes", "arch": "amd64"]),
            spec: MachineSpec(address: "192.0.2.10", sshKeySecret: "ssh-worker-1"))
        machine.status = MachineStatus(
            phase: .quarantined,
            conditions: [
                Condition(type: "Reachable", status: "False", reason: "Refused", message: "port 22 is closed", lastTransitionTime: "x")
            ],
            plan: plan)
        var event = Event(metadata: ObjectMeta(name: "e"), type: "Warning", reason: "JoinFailed", message: "start failed")
        event.count = 3
        let section = DescribedSection(title: "Plan Join", rows: [["STEP"], ["push"]])
        let text = Description.text(of: machine, sections: [section], events: [event])
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.first == "Name: worker-1")
        #expect(lines.contains("Labels: arch=amd64, gpu=yes"))
        #expect(lines.contains("Address: root@192.0.2.10, port 22"))
        #expect(!text.contains("Namespace:"))
        #expect(lines.contains("Plan Join:") && lines.contains("Conditions:") && lines.contains("Events:"))
        #expect(lines.contains("<unknown> Warning JoinFailed start failed (3 times)"))
        #expect(plan.current == "Join: start (Failed)")
    }

    @Test func aClusterUnderUpgradeShowsBothVersions() {
        var cluster = HostedCluster(metadata: ObjectMeta(name: "demo", namespace: "a"), spec: HostedClusterSpec(version: .init(1, 21, 0)))
        cluster.status = HostedClusterStatus(version: .init(1, 20, 2))
        #expect(Description.text(of: cluster, sections: [], events: []).contains("v1.20.2, to become v1.21.0"))
        #expect(Description.text(of: cluster, sections: [], events: []).hasSuffix("Events: none\n"))
    }

    @Test func aPoolSaysWhatItWaitsFor() {
        var pool = NodePool(metadata: ObjectMeta(name: "workers", generation: 2))
        #expect(pool.waitsFor(replicas: 2) == "0 of 2 nodes are ready")
        pool.status = NodePoolStatus(observedGeneration: 1, replicas: 2, readyReplicas: 2)
        #expect(pool.waitsFor(replicas: 2) == "2 of 2 nodes are ready")
        pool.status?.observedGeneration = 2
        #expect(pool.waitsFor(replicas: 2) == nil)
        pool.status?.terminatingReplicas = 1
        #expect(pool.waitsFor(replicas: 2) == "one node is drained")
        pool.status?.conditions = [
            Condition(type: "MachinesAvailable", status: "False", reason: "TooFew", message: "one more is needed", lastTransitionTime: "x")
        ]
        #expect(pool.waitsFor(replicas: 3) == "one more is needed")
    }
}
