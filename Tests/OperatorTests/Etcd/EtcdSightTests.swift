import KubernetesAPI
import Testing

@testable import Operator

/// What a pod's status tells of a member, with the words of real etcds.
@Suite struct EtcdSightTests {
    static let said: [(String, Int, EtcdPod)] = [
        (
            #"2026-11-22 01:25:05.009514 C | etcdmain: couldn't find local name "etcd-1" in the initial cluster configuration"#, 1, .empty
        ),
        (
            #"{"level":"fatal","caller":"etcdmain/etcd.go:183","msg":"discovery failed","error":"couldn't find local name \"etcd-1\" in the initial cluster configuration"}"#,
            1, .empty
        ),
        ("2026-11-22 01:26:01.320690 C | etcdmain: walpb: crc mismatch", 1, .unusable("its log is damaged")),
        ("panic: cannot use none as id\n\ngoroutine 1 [running]:", 2, .unusable("its log is damaged")),
        (
            "C | mvcc/backend: cannot open database at /var/lib/etcd/data/member/snap/db (invalid database)\npanic: cannot open", 2,
            .unusable("its database is damaged")
        ),
        ("panic: failed to open database\n\ngoroutine 127 [running]:", 2, .unusable("its database is damaged")),
        (
            "E | etcdserver: the member has been permanently removed from the cluster", 1,
            .unusable("its data is of a member that was removed")
        ),
        ("flag provided but not defined: -x", 2, .ended), ("", 137, .ended),
    ]

    @Test(arguments: said) func lastWords(words: String, code: Int, pod: EtcdPod) {
        #expect(EtcdLastWords(ContainerStateTerminated(exitCode: code, message: words), restarts: 0).pod == pod)
    }

    @Test func aPanicOnEachStartIsTheData() {
        let words = "goroutine 1 [running]:\ngo.etcd.io/bbolt.(*Tx).page(0x3767dece40f0?, 0x3767debab300?)"
        func pod(_ restarts: Int, _ words: String = words, ended: String? = "2026-11-22T01:00:09Z") -> EtcdPod {
            let end = ContainerStateTerminated(exitCode: 2, message: words, startedAt: "2026-11-22T01:00:00Z", finishedAt: ended)
            return EtcdLastWords(end, restarts: restarts).pod
        }
        #expect(pod(1) == .ended)
        #expect(pod(3) == .unusable("it panics as it starts"))
        #expect(pod(9, "fatal error: runtime: out of memory\n\(words)") == .ended)
        // One that ran for a month had opened its data; its restarts are of other times.
        #expect(pod(3, ended: "2026-12-22T01:00:00Z") == .ended && pod(3, ended: nil) == .ended)
    }

    static func pod(_ status: ContainerStatus?, isGoing: Bool = false) -> Pod {
        Pod(
            metadata: ObjectMeta(name: "etcd-1", deletionTimestamp: isGoing ? "2026-11-22T01:00:00Z" : nil),
            status: PodStatus(containerStatuses: status.map { [$0] }))
    }

    @Test func pods() {
        let refused = ContainerStateTerminated(exitCode: 1, message: "couldn't find local name")
        let waiting = ContainerStatus(
            name: "etcd", restartCount: 1, state: ContainerState(waiting: ContainerStateWaiting(reason: "CrashLoopBackOff")),
            lastState: ContainerState(terminated: refused))
        #expect(EtcdPod(Self.pod(waiting), volume: .there) == .empty)
        // What it said before it was started again is of the past.
        let running = ContainerStatus(
            name: "etcd", state: ContainerState(running: ContainerStateRunning()), lastState: ContainerState(terminated: refused))
        #expect(EtcdPod(Self.pod(running), volume: .there) == .running)
        #expect(EtcdPod(Self.pod(running, isGoing: true), volume: .there) == .going)
        #expect(EtcdPod(Self.pod(waiting), volume: .lost("its volume is gone")) == .unusable("its volume is gone"))
        #expect(EtcdPod(Self.pod(nil), volume: .there) == .starting)
        #expect(EtcdPod(Self.pod(nil), volume: nil) == .withoutVolume)
    }

    @Test func volumes() {
        func claim(_ phase: String, isGoing: Bool = false) -> PersistentVolumeClaim {
            PersistentVolumeClaim(
                metadata: ObjectMeta(name: "data-etcd-1", deletionTimestamp: isGoing ? "2026-11-22T01:00:00Z" : nil),
                status: PersistentVolumeClaimStatus(phase: phase))
        }
        #expect(EtcdVolume(claim("Bound")) == .there && EtcdVolume(claim("Pending")) == .there)
        #expect(EtcdVolume(claim("Lost")) == .lost("its volume is gone") && EtcdVolume(claim("Lost", isGoing: true)) == .going)
    }

    @Test func volumesOnANodesOwnDisk() {
        func hostnames(_ terms: [[LabelSelectorRequirement]]?) -> Set<String>? {
            let affinity = terms.map { terms in
                VolumeNodeAffinity(required: NodeSelector(nodeSelectorTerms: terms.map { NodeSelectorTerm(matchExpressions: $0) }))
            }
            return PersistentVolume(metadata: ObjectMeta(name: "disk"), spec: PersistentVolumeSpec(nodeAffinity: affinity)).hostnames
        }
        func host(_ names: String...) -> LabelSelectorRequirement {
            LabelSelectorRequirement(key: "kubernetes.io/hostname", operator: "In", values: names)
        }
        let zone = LabelSelectorRequirement(key: "topology.kubernetes.io/zone", operator: "In", values: ["a"])
        #expect(hostnames([[host("host-3")]]) == ["host-3"])
        #expect(hostnames([[zone, host("host-2")], [host("host-3")]]) == ["host-2", "host-3"])
        // These can be had on other nodes, now or later.
        #expect(hostnames(nil) == nil && hostnames([[zone]]) == nil && hostnames([[host("host-3")], [zone]]) == nil)
    }

    @Test func aLossIsOneOfAll() {
        func host(_ pods: [Int: EtcdPod]) -> EtcdHost { EtcdHost(statefulSet: nil, pods: pods, volumes: [:]) }
        #expect(host([0: .empty]).loss == "etcd-0 finds its data gone")
        #expect(host([0: .empty, 1: .running, 2: .empty]).loss == nil)
        #expect(host([0: .withoutVolume]).loss == "the volume of etcd-0 is gone")
        #expect(host([:]).loss == nil)
        // The others have no pods at the moment.
        let three = StatefulSet(metadata: ObjectMeta(name: "etcd"), spec: StatefulSetSpec(replicas: 3, template: PodTemplateSpec()))
        #expect(EtcdHost(statefulSet: three, pods: [0: .empty], volumes: [:]).loss == nil)
        #expect(host([0: .empty, 1: .unusable("its log is damaged")]).loss?.hasSuffix("etcd-1 does not start: its log is damaged") == true)
    }

    /// While no member leads, one pod at a time is made anew, and none where the newest template keeps one from running.
    @Test(arguments: [
        // Before anybody is served, all.
        (false, [0: EtcdPod.running, 1: .starting, 2: .going], [0, 1, 2], [], [0, 1]),
        (true, [0: .running, 1: .running, 2: .running], [0, 1, 2], [], [0]),
        (true, [0: .running, 1: .running, 2: .running], [0, 1, 2], [0], [1]),
        (true, [0: .running, 1: .running, 2: .running], [1, 2], [], [1]),
        (true, [0: .running, 1: .running, 2: .starting], [0, 1], [], []),
        (true, [0: .running, 1: .running, 2: .ended], [0, 1], [], []),
        (true, [0: .running, 1: .running, 2: .ended], [0, 1, 2], [], [2]),
        // The one that was begun is not back yet.
        (true, [0: .going, 1: .running, 2: .running], [0, 1, 2], [], []), (true, [1: .running, 2: .running], [1, 2], [], []),
        (true, [0: .starting, 1: .running, 2: .running], [0, 1, 2], [], [0]),
    ])
    func podsAreRenewedWhileNobodyLeads(
        isBootstrapped: Bool, pods: [Int: EtcdPod], outdated: [Int], ready: [Int], expected: [Int]
    ) {
        let set = StatefulSet(metadata: ObjectMeta(name: "etcd"), spec: StatefulSetSpec(replicas: 3))
        let host = EtcdHost(statefulSet: set, pods: pods, volumes: [:], outdated: Set(outdated), ready: Set(ready))
        #expect(host.renewals(isBootstrapped: isBootstrapped) == expected)
    }

    @Test func aLoneMemberIsNotEndedWithItsVolume() {
        let set = StatefulSet(metadata: ObjectMeta(name: "etcd"), spec: StatefulSetSpec(replicas: 1))
        var host = EtcdHost(statefulSet: set, pods: [0: .running], volumes: [0: .there], outdated: [0])
        #expect(host.renewals(isBootstrapped: true) == [0])
        host.volumes[0] = .going
        #expect(host.renewals(isBootstrapped: true) == [])
    }

    @Test func asManyPodsAsThereAreWhileEtcdIsSilent() {
        func replicas(_ set: Int?, _ volumes: [Int: EtcdVolume], wanted: Int) -> Int {
            let set = set.map { StatefulSet(metadata: ObjectMeta(name: "etcd"), spec: StatefulSetSpec(replicas: $0)) }
            return EtcdHost(statefulSet: set, pods: [:], volumes: volumes).replicas(orNew: wanted)
        }
        #expect(replicas(nil, [:], wanted: 3) == 3)
        #expect(replicas(1, [0: .there], wanted: 3) == 1)
        // Somebody took pods or the StatefulSet away.
        #expect(replicas(0, [0: .there], wanted: 1) == 1)
        #expect(replicas(nil, [0: .there, 1: .there, 2: .there], wanted: 1) == 3)
    }

    @Test func whatIsLeftOfMembersThatWentAsksForNoPod() {
        let set = StatefulSet(metadata: ObjectMeta(name: "etcd"), spec: StatefulSetSpec(replicas: 1))
        let volumes: [Int: EtcdVolume] = [0: .there, 1: .there, 2: .there]
        let host = EtcdHost(statefulSet: set, pods: [0: .running], volumes: volumes)
        let sight = EtcdSight(members: [], statuses: [:], replicas: 1, volumes: volumes, pods: host.pods)
        #expect(host.replicas(after: .dropVolume(ordinal: 1), sight, orNew: 1) == 1)
        #expect(host.replicas(after: .run(replicas: 2), sight, orNew: 1) == 2)
        #expect(host.replicas(after: nil, nil, orNew: 1) == 3)
    }

    @Test func etcdIsNewWhenAllMembersAreAndMostServe() {
        func isRolledOut(_ wanted: Int, updated: Int, ready: Int, seen: Int = 2) -> Bool {
            StatefulSet(
                metadata: ObjectMeta(name: "etcd", generation: 2), spec: StatefulSetSpec(replicas: wanted),
                status: StatefulSetStatus(observedGeneration: seen, readyReplicas: ready, updatedReplicas: updated)
            ).isRolledOut
        }
        #expect(isRolledOut(1, updated: 1, ready: 1) && isRolledOut(3, updated: 3, ready: 2))
        #expect(!isRolledOut(1, updated: 1, ready: 0) && !isRolledOut(1, updated: 0, ready: 1) && !isRolledOut(3, updated: 3, ready: 1))
        #expect(!isRolledOut(1, updated: 1, ready: 1, seen: 1))
    }
}
