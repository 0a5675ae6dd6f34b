import KubernetesAPI
import Testing

@testable import Operator

/// How far a roll has come, by what the host says of the Deployment and its pods.
@Suite struct ControlPlaneRolloutTests {
    static let images: Set<String> = ["r/kube-apiserver:v1.21.0", "nestbox.dev/nestbox-tunnel:v0.1.0"]

    static func deployment(
        _ replicas: Int = 1, updated: Int, total: Int, available: Int, seen: Bool = true, late: Bool = false
    ) -> Deployment {
        Deployment(
            metadata: ObjectMeta(name: "control-plane", generation: 4), spec: DeploymentSpec(replicas: replicas),
            status: DeploymentStatus(
                observedGeneration: seen ? 4 : 3, replicas: total, updatedReplicas: updated, availableReplicas: available,
                conditions: late ? [StatusCondition(type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded")] : nil))
    }

    static func pod(_ name: String, new: Bool, ready: Bool, _ container: ContainerStatus? = nil) -> Pod {
        let containers = images.sorted().map { Container(name: "c", image: new ? $0 : "older") }
        return Pod(
            metadata: ObjectMeta(name: name), spec: PodSpec(containers: containers),
            status: PodStatus(
                conditions: [StatusCondition(type: "Ready", status: ready ? "True" : "False")], containerStatuses: container.map { [$0] }))
    }

    @Test func itIsCompleteWhenAllAreNewAndNoOtherIsThere() {
        let old = Self.pod("old", new: false, ready: true)
        func state(_ deployment: Deployment) -> ControlPlaneRollout.State {
            ControlPlaneRollout(deployment, pods: [old], images: Self.images).state
        }
        #expect(state(Self.deployment(updated: 1, total: 1, available: 1)) == .complete)
        #expect(state(Self.deployment(updated: 1, total: 1, available: 1, seen: false)) == .underWay)
        #expect(state(Self.deployment(updated: 1, total: 2, available: 2)) == .underWay)
        #expect(state(Self.deployment(updated: 1, total: 1, available: 0)) == .underWay)
        #expect(state(Self.deployment(3, updated: 2, total: 3, available: 3)) == .underWay)
        #expect(state(Self.deployment(updated: 1, total: 2, available: 1, late: true)) == .stopped)
        // What it said of an earlier template is no word on this one.
        #expect(state(Self.deployment(updated: 1, total: 2, available: 1, seen: false, late: true)) == .underWay)
    }

    @Test func itHasServedWhenANewPodIsReady() {
        let rolling = Self.deployment(3, updated: 1, total: 4, available: 3)
        func rollout(_ pods: [Pod]) -> ControlPlaneRollout { ControlPlaneRollout(rolling, pods: pods, images: Self.images) }
        let old = Self.pod("old", new: false, ready: true)
        #expect(!rollout([old, Self.pod("new", new: true, ready: false)]).hasServed)
        let served = rollout([old, Self.pod("new", new: true, ready: true)])
        #expect(served.hasServed && served.words == "1 of 3 replicas are new and ready")
        #expect(ControlPlaneRollout.hasServed([old, Self.pod("new", new: true, ready: true)], images: Self.images))
        #expect(!ControlPlaneRollout.hasServed([old, Self.pod("new", new: true, ready: false)], images: Self.images))
    }

    @Test func itSaysWhatKeepsANewPod() {
        let stuck = Self.deployment(updated: 1, total: 2, available: 1, late: true)
        func words(_ container: ContainerStatus) -> String {
            ControlPlaneRollout(
                stuck, pods: [Self.pod("old", new: false, ready: true), Self.pod("new", new: true, ready: false, container)],
                images: Self.images
            ).words
        }
        let missing = ContainerStatus(
            name: "kube-apiserver",
            state: ContainerState(waiting: ContainerStateWaiting(reason: "ImagePullBackOff", message: "Back-off pulling image \"r/x\"")))
        #expect(
            words(missing)
                == "0 of 1 replicas are new and ready: container kube-apiserver of pod new: ImagePullBackOff Back-off pulling image \"r/x\""
        )
        let crashed = ContainerStatus(
            name: "kube-apiserver", ready: false,
            state: ContainerState(waiting: ContainerStateWaiting(reason: "CrashLoopBackOff", message: "back-off 10s")),
            lastState: ContainerState(
                terminated: ContainerStateTerminated(exitCode: 1, reason: "Error", message: "Error: unknown flag: --x\u{1b}[31m\n")))
        #expect(
            words(crashed)
                == "0 of 1 replicas are new and ready: container kube-apiserver of pod new: CrashLoopBackOff it ended with 1 and said last: Error: unknown flag: --x"
        )
        let starting = ContainerStatus(
            name: "kube-apiserver", ready: false, state: ContainerState(waiting: ContainerStateWaiting(reason: "ContainerCreating")))
        #expect(words(starting) == "0 of 1 replicas are new and ready")
        // One that was restarted once and serves is no trouble.
        let restarted = ContainerStatus(
            name: "kube-scheduler", ready: true, state: ContainerState(),
            lastState: ContainerState(terminated: ContainerStateTerminated(exitCode: 1)))
        #expect(words(restarted) == "0 of 1 replicas are new and ready")
    }
}
