import ControlPlane
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import Operator

/// What one look at the host tells of a control plane's parts.
@Suite struct ControlPlaneSightTests {
    static func pod(_ name: String, of component: String, phase: String = "Running", trouble: String? = nil) -> Pod {
        let conditions = trouble.map { [StatusCondition(type: "PodScheduled", status: "False", message: $0)] }
        return Pod(
            metadata: ObjectMeta(name: name, labels: [NestboxLabel.component: component]),
            status: PodStatus(
                phase: phase, conditions: conditions,
                containerStatuses: [ContainerStatus(name: component, state: ContainerState(running: ContainerStateRunning()))]))
    }

    static func deployment(generation: Int, seen: Int) -> Deployment {
        Deployment(
            metadata: ObjectMeta(name: "control-plane", generation: generation),
            spec: DeploymentSpec(
                replicas: 1,
                template: PodTemplateSpec(
                    spec: PodSpec(containers: [
                        Container(name: "kube-apiserver", command: ["kube-apiserver", "--etcd-servers=https://etcd-0,https://etcd-1"])
                    ]))),
            status: DeploymentStatus(observedGeneration: seen, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1))
    }

    @Test func eachComponentIsSeenByItsOwnPods() {
        let sight = ControlPlaneSight(
            deployment: Self.deployment(generation: 1, seen: 1), statefulSet: nil,
            pods: [
                Self.pod("etcd-0", of: "etcd"), Self.pod("etcd-1", of: "etcd", trouble: "no node"), Self.pod("a", of: "control-plane"),
                Self.pod("b", of: "control-plane", phase: "Failed"), Self.pod("c", of: EtcdSnapshot.component, trouble: "no volume"),
            ],
            claims: [PersistentVolumeClaim(metadata: ObjectMeta(name: "data-etcd-0"))])
        #expect(sight.apiServers == ScalingOrder.APIServers(wanted: 1, told: 2, isRolledOut: true, running: 1, ready: 1))
        #expect(sight.trouble(of: "control-plane") == nil)
        #expect(sight.trouble(of: "etcd") == "pod etcd-1 is not scheduled: no node")
        #expect(sight.trouble(of: EtcdSnapshot.component) == "pod c is not scheduled: no volume")
        let etcd = EtcdHost(sight, members: 3)
        #expect(etcd.volumes == [0: .there] && etcd.pods == [0: .running, 1: .running])
        #expect(EtcdHost(sight, members: 1).pods == [0: .running])
    }

    @Test func aPodIsLetGoWhenItsKubeletSaysThatItHasEnded() {
        let ended = ContainerState(terminated: ContainerStateTerminated(exitCode: 0))
        let running = ContainerState(running: ContainerStateRunning())
        let waiting = ContainerState(waiting: ContainerStateWaiting(reason: "ContainerCreating"))
        func pod(
            _ name: String, of component: String = "control-plane", phase: String = "Running", isGoing: Bool = true,
            _ states: ContainerState...
        ) -> Pod {
            Pod(
                metadata: ObjectMeta(
                    name: name, labels: [NestboxLabel.component: component], deletionTimestamp: isGoing ? "2026-11-22T01:00:00Z" : nil),
                status: PodStatus(phase: phase, containerStatuses: states.map { ContainerStatus(name: "main", state: $0) }))
        }
        let pods = [
            pod("member", of: "etcd", ended), pod("unknown"), pod("runs", running), pod("runs in part", ended, running),
            pod("has ended", ended, ended), pod("starts again", isGoing: false, ended),
            pod("was removed", waiting, waiting), pod("is removed in part", waiting, running),
            pod("never began", phase: "Pending", waiting),
        ]
        let sight = ControlPlaneSight(deployment: Self.deployment(generation: 1, seen: 1), pods: pods)
        #expect(sight.endedPods.map(\.name) == ["member", "has ended", "was removed"])
        #expect(sight.apiServers.running == 6)
    }

    @Test func ofNothingNothingRuns() {
        #expect(ControlPlaneSight().apiServers == ScalingOrder.APIServers(wanted: nil, told: nil, isRolledOut: false, running: 0))
    }

    /// What it said of itself before is no word on what was applied since.
    @Test func whatWasAppliedIsSeenAsItWasAnswered() {
        var sight = ControlPlaneSight(deployment: Self.deployment(generation: 1, seen: 1))
        sight.take([])
        #expect(sight.apiServers.isRolledOut)
        sight.take([ConfigMap(metadata: ObjectMeta(name: "control-plane")), Self.deployment(generation: 2, seen: 1)])
        #expect(!sight.apiServers.isRolledOut && sight.statefulSet == nil)
        func service(_ address: String?) -> Service { Service(metadata: ObjectMeta(name: "etcd-0"), spec: ServiceSpec(clusterIP: address)) }
        sight.services = [service(nil), Service(metadata: ObjectMeta(name: "etcd-1"))]
        sight.take([service("10.96.0.7")])
        #expect(sight.services.count == 2 && sight.service("etcd-0")?.spec?.clusterIP == "10.96.0.7")
    }

    /// What was rolled out, what is noted of it, and the image of a pod whose etcd ran.
    @Test(
        arguments: [
            // Of a cluster from before it was noted.
            ("registry.k8s.io/etcd:3.5.24-0", nil, nil, "3.5.24-0"),
            // It never started: the older one is open yet.
            ("registry.k8s.io/etcd:3.6.8-0", "3.5.24-0", "registry.k8s.io/etcd:3.5.24-0", "3.5.24-0"),
            ("registry.k8s.io/etcd:3.6.8-0", "3.5.24-0", nil, "3.5.24-0"),
            // It did, and its pod may be gone since.
            ("registry.k8s.io/etcd:3.6.8-0", "3.5.24-0", "registry.k8s.io/etcd:3.6.8-0", "3.6.8-0"),
            ("registry.k8s.io/etcd:3.5.24-0", "3.6.8-0", nil, "3.6.8-0"),
            // Whatever the registry is.
            ("new.example/etcd:3.5.24-0", "3.4.13-0", "old.example:5000/etcd:3.6.8-0", "3.6.8-0"),
        ] as [(String, String?, String?, String)])
    func theNewestEtcdThatHasRunIsKnown(rolledOut: String, noted: String?, ran: String?, expected: String) {
        let template = PodTemplateSpec(spec: PodSpec(containers: [Container(name: "etcd", image: rolledOut)]))
        var sight = ControlPlaneSight(
            statefulSet: StatefulSet(metadata: ObjectMeta(name: "etcd"), spec: StatefulSetSpec(replicas: 1, template: template)))
        sight.pods = [ran ?? rolledOut].map { image in
            let ended = ContainerState(terminated: ContainerStateTerminated(exitCode: 1))
            return Pod(
                metadata: ObjectMeta(name: "etcd-0", labels: [NestboxLabel.component: "etcd"]),
                spec: PodSpec(containers: [Container(name: "etcd", image: image)]),
                status: PodStatus(containerStatuses: [ContainerStatus(name: "etcd", lastState: ran == nil ? nil : ended)]))
        }
        #expect(sight.openedEtcdTag(HostedClusterStatus(etcdClusterID: "1", etcdImageTag: noted)) == expected)
    }
}
