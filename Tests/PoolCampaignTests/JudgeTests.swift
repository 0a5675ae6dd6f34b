import TestCommands
import Testing

@testable import pool_campaign

@Suite struct JudgeTests {
    private static func machine(_ phase: String = "Ready", epoch: Int? = 1, change: (inout MachineSeen) -> Void = { _ in }) -> MachineSeen {
        var machine = MachineSeen(
            name: "m1", uid: "u1", address: "10.0.0.1", phase: phase, pool: "p", cluster: "c", epoch: epoch, podCIDR: "10.244.0.0/24",
            revision: "r1")
        change(&machine)
        return machine
    }

    private static func other(change: (inout MachineSeen) -> Void = { _ in }) -> MachineSeen {
        machine {
            ($0.name, $0.uid, $0.address, $0.podCIDR) = ("m2", "u2", "10.0.0.2", "10.244.1.0/24")
            change(&$0)
        }
    }

    private static func pod(leaving: Bool = false, phase: String = "Running", reason: String = "") -> PodSeen {
        PodSeen(
            name: "counted-0", uid: "p0", node: "m1", isLeaving: leaving, phase: phase, reason: reason, isReady: phase == "Running",
            isStateful: true)
    }

    /// A machine that is a node with a pod on it since 0.
    private static func atWork() -> Judge {
        var judge = Judge()
        judge.see(.machine(machine()), at: 0)
        judge.see(.node(NodeSeen(name: "m1", podCIDR: "10.244.0.0/24", address: "10.0.0.1")), at: 0)
        judge.see(.pod(pod()), at: 0)
        return judge
    }

    private static func released(_ reason: String, phase: String = "Draining") -> Judge.Change {
        .machine(machine(phase) { $0.releasedFor = reason })
    }

    private static func fault(_ kind: MachineFault, from: Moment, to: Moment?, _ judge: inout Judge) {
        let index = judge.faultBegan(kind, on: "m1", during: "repair", at: from)
        if let to { judge.faultEnded(index, at: to) }
    }

    /// One story, and what is wrong in it; nil for nothing.
    struct Story: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var problem: String?
        var tell: @Sendable (inout Judge) -> Void

        init(_ description: String, _ problem: String?, _ tell: @escaping @Sendable (inout Judge) -> Void) {
            (testDescription, self.problem, self.tell) = (description, problem, tell)
        }
    }

    @Test(arguments: [
        Story("a pod of a healthy node", "pod counted-0 went from m1") { $0.see(.pod(pod(leaving: true)), at: 100) },
        Story("a pod that vanishes", "pod counted-0 went from m1") { $0.see(.podGone(uid: "p0"), at: 100) },
        Story("fewer were asked for", nil) {
            $0.asked("p", from: 2, to: 1)
            $0.see(released("ScaledDown"), at: 99)
            $0.see(.pod(pod(leaving: true)), at: 100)
        },
        Story("fewer were asked for, and the pod's API was faster", nil) {
            $0.asked("p", from: 2, to: 1)
            $0.see(.pod(pod(leaving: true)), at: 100)
            $0.see(released("ScaledDown"), at: 102)
        },
        Story("nobody asked for fewer", "nobody asked for fewer nodes") { $0.see(released("ScaledDown"), at: 99) },
        Story("one too many", "nobody asked for fewer nodes") {
            $0.asked("p", from: 2, to: 1)
            $0.see(.machine(other()), at: 1)
            $0.see(released("ScaledDown"), at: 99)
            $0.see(.machine(other { ($0.phase, $0.releasedFor) = ("Draining", "ScaledDown") }), at: 100)
        },
        Story("taken back, and released for the next order", nil) {
            $0.asked("p", from: 2, to: 1)
            $0.see(released("ScaledDown"), at: 99)
            $0.see(.machine(machine()), at: 101)
            $0.see(released("ScaledDown"), at: 103)
        },
        Story("an upgrade that was asked for", nil) {
            $0.askedToRoll("p")
            $0.see(.machine(machine("Upgrading") { $0.upgrade = "r2" }), at: 50)
            $0.see(.pod(pod(leaving: true)), at: 51)
        },
        Story("an upgrade that nobody asked for", "nobody asked for it") {
            $0.see(.machine(machine("Upgrading") { $0.upgrade = "r2" }), at: 50)
        },
        Story("an upgrade twice", "twice") {
            $0.askedToRoll("p")
            $0.see(.machine(machine("Upgrading") { $0.upgrade = "r2" }), at: 50)
            $0.see(.machine(machine()), at: 60)
            $0.see(.machine(machine("Upgrading") { $0.upgrade = "r2" }), at: 70)
        },
        Story("outdated, unasked", "nobody asked for other nodes") { $0.see(released("Outdated"), at: 50) },
        Story("replaced after a fault that lasted", nil) {
            fault(.cut, from: 10, to: nil, &$0)
            $0.see(.node(NodeSeen(name: "m1", isReady: false)), at: 50)
            $0.see(released("NotMended", phase: "Cleaning"), at: 180)
            $0.see(.pod(pod(leaving: true)), at: 182)
        },
        Story("replaced too early", "was not unwell for 60.0 s") {
            fault(.cut, from: 10, to: nil, &$0)
            $0.see(.node(NodeSeen(name: "m1", isReady: false)), at: 50)
            $0.see(released("NotMended", phase: "Cleaning"), at: 90)
        },
        Story("replaced long after", "long after its fault was over") {
            fault(.cut, from: 10, to: 60, &$0)
            $0.see(.node(NodeSeen(name: "m1", isReady: false)), at: 50)
            $0.see(released("NotMended", phase: "Cleaning"), at: 200)
        },
        Story("replaced, and nothing was done to it", "nothing was done to it") {
            $0.see(.node(NodeSeen(name: "m1", isReady: false)), at: 50)
            $0.see(released("NotMended", phase: "Cleaning"), at: 180)
        },
        Story("evicted by the kubelet of a full disk", nil) {
            fault(.fill, from: 10, to: 40, &$0)
            $0.see(.pod(pod(phase: "Failed", reason: "Evicted")), at: 60)
        },
        Story("evicted by the kubelet of a disk with room", "pod counted-0 went from m1 (Failed Evicted)") {
            fault(.cut, from: 10, to: 40, &$0)
            $0.see(.pod(pod(phase: "Failed", reason: "Evicted")), at: 60)
        },
        Story("given up by Kubernetes after its toleration", nil) {
            fault(.cut, from: 10, to: nil, &$0)
            $0.see(.node(NodeSeen(name: "m1", isReady: false)), at: 50)
            $0.see(.pod(pod(leaving: true)), at: 351)
        },
        Story("given up long before", "pod counted-0 went from m1") {
            fault(.cut, from: 10, to: nil, &$0)
            $0.see(.node(NodeSeen(name: "m1", isReady: false)), at: 50)
            $0.see(.pod(pod(leaving: true)), at: 200)
        },
        Story("a pod of an earlier claim", nil) {
            $0.see(.machine(machine("Available") { ($0.pool, $0.epoch, $0.podCIDR) = (nil, nil, nil) }), at: 20)
            $0.see(.machine(machine(epoch: 2)), at: 40)
            $0.see(.podGone(uid: "p0"), at: 60)
        },
        Story("one pod in two places", "pod counted-0 runs on m1 and m2 at once") {
            $0.see(processes: ["counted-0": ["m1", "m2"]], at: 9)
        },
        Story("a Machine that vanishes", "Machine m1 vanished") { $0.see(.machineGone("m1"), at: 9) },
        Story("a Machine made anew", "another object") { $0.see(.machine(machine { $0.uid = "other" }), at: 9) },
        Story("one address twice", "one address") { $0.see(.machine(other { $0.address = "10.0.0.1" }), at: 9) },
        Story("one pod network twice", "one pod network") { $0.see(.machine(other { $0.podCIDR = "10.244.0.0/24" }), at: 9) },
        Story("another tenant's same pod network", nil) {
            $0.see(.machine(other { ($0.podCIDR, $0.cluster) = ("10.244.0.0/24", "d") }), at: 9)
        },
        Story("an epoch that goes back", "epoch 1 after 3") {
            $0.see(.machine(machine(epoch: 3)), at: 8)
            $0.see(.machine(machine(epoch: 1)), at: 9)
        },
        Story("another pool within a claim", "within one claim") { $0.see(.machine(machine { $0.pool = "q" }), at: 9) },
        Story("Quarantined, full", nil) {
            fault(.fill, from: 10, to: 40, &$0)
            $0.see(.machine(machine("Quarantined") { $0.message = "the file system /opt has 3 MiB free of 20000 MiB" }), at: 60)
        },
        Story("Quarantined, and cleaned when a person asked for it", nil) {
            fault(.fill, from: 10, to: 40, &$0)
            $0.see(.machine(machine("Quarantined") { $0.message = "cannot write: No space left on device" }), at: 60)
            $0.see(released("", phase: "Cleaning"), at: 90)
        },
        Story("given back without a word", "for no reason that was given") { $0.see(released("", phase: "Cleaning"), at: 90) },
        Story("Quarantined as full, and was not", "Quarantined without such a fault") {
            fault(.cut, from: 10, to: 40, &$0)
            $0.see(.machine(machine("Quarantined") { $0.message = "the file system /opt has 3 MiB free of 20000 MiB" }), at: 60)
        },
        Story("Quarantined for what is left on it", "for what no fault did") {
            fault(.cut, from: 10, to: 40, &$0)
            $0.see(.machine(machine("Quarantined") { $0.message = "after cleaning there is still: file /srv/x" }), at: 60)
        },
        Story("claim of another epoch on it", "has the claim \"owner=u1 epoch=7\" on it") {
            $0.see(MachineLook("claim owner=u1 epoch=7\nkubelet active\nleft process kubelet"), of: "m1", at: 60)
        },
        Story("its own claim on it", nil) {
            $0.see(MachineLook("claim owner=u1 epoch=1\nkubelet active\nleft process kubelet"), of: "m1", at: 60)
        },
        Story("Available and not clean", "is not clean: process kubelet") {
            $0.see(.machine(machine("Available") { ($0.pool, $0.epoch, $0.podCIDR) = (nil, nil, nil) }), at: 20)
            $0.see(MachineLook("claim \nkubelet inactive\nleft process kubelet"), of: "m1", at: 60)
        },
    ])
    func judges(_ story: Story) {
        var judge = Self.atWork()
        story.tell(&judge)
        judge.settle(1000)
        if let problem = story.problem {
            #expect(judge.problems.count == 1 && judge.problems.allSatisfy { $0.contains(problem) }, "\(judge.problems)")
        } else {
            #expect(judge.problems.isEmpty, "\(judge.problems)")
        }
    }

    @Test func restIsWhenAllIsAsItWasAskedFor() {
        var judge = Self.atWork()
        let pool = PoolSeen(
            name: "p", isObserved: true, replicas: 1, ready: 1, updated: 1, revision: "r1",
            conditions: ["Ready": "True AllNodesReady: ", "Progressing": "True RolledOut: "])
        judge.see(.pool(pool), at: 1)
        #expect(judge.lacking(sizes: ["p": 1]) == [])
        #expect(judge.lacking(sizes: ["p": 2]).contains("pool p holds 1 of 2 Machines"))
        judge.see(.node(NodeSeen(name: "m1", isCordoned: true, podCIDR: "10.244.9.0/24")), at: 2)
        judge.see(.node(NodeSeen(name: "m9", isReady: false)), at: 2)
        #expect(
            judge.lacking(sizes: ["p": 1]) == [
                "node m1 is cordoned", "node m1 carries another pod network than its Machine", "node m9 is left", "node m9 is not Ready",
            ])
        judge.see(.machine(Self.machine("Quarantined") { $0.message = "it does not answer" }), at: 3)
        #expect(judge.lacking(sizes: ["p": 0]).contains("m1 is Quarantined (it does not answer)"))
    }
}
