import Testing

@testable import Operator

/// Each state that an operator may find after one before it was killed anywhere, and what it does next.
@Suite struct MembershipDecisionTests {
    static func member(_ ordinal: Int, learner: Bool = false, started: Bool = true, id: String? = nil) -> EtcdMember {
        EtcdMember(
            id: id ?? "m\(ordinal)", name: started ? "etcd-\(ordinal)" : "", peerURL: EtcdMember.peerURL(ordinal), hasStarted: started,
            isLearner: learner)
    }

    static func status(_ id: String, leader: String) -> EtcdStatus {
        EtcdStatus(
            clusterID: "c", memberID: id, leaderID: leader, version: "3.4.23", revision: 1, size: 1,
            sizeInUse: 1, errors: [])
    }

    /// All members run, have their volumes and answer, but for those that are named.
    static func sight(
        _ members: [EtcdMember], replicas: Int? = nil, leader: Int = 0, silent: Set<Int> = [], pods: [Int: EtcdPod] = [:],
        volumes: [Int: EtcdVolume] = [:], noVolumes: Set<Int> = [], corrupt: Set<String> = [], outdated: Set<Int> = []
    ) -> EtcdSight {
        let ordinals = members.compactMap(\.ordinal)
        let replicas = replicas ?? (ordinals.max() ?? 0) + 1
        let leaderID = members.first { $0.ordinal == leader }?.id ?? "none"
        var sight = EtcdSight(members: members, statuses: [:], corrupt: corrupt, replicas: replicas, volumes: [:], pods: [:])
        sight.outdated = outdated
        for ordinal in 0..<3 {
            let member = members.first { $0.ordinal == ordinal }
            sight.volumes[ordinal] = noVolumes.contains(ordinal) ? nil : volumes[ordinal] ?? (ordinal < replicas ? .there : nil)
            sight.pods[ordinal] = ordinal < replicas ? pods[ordinal] ?? .running : nil
            if let member, member.hasStarted, sight.pods[ordinal] == .running, !silent.contains(ordinal) {
                sight.statuses[ordinal] = status(member.id, leader: leaderID)
                sight.ready.insert(ordinal)
            }
        }
        return sight
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var wanted: Int
        var sight: EtcdSight
        var next: MembershipDecision

        init(_ what: String, _ wanted: Int, _ sight: EtcdSight, _ next: MembershipDecision) {
            (testDescription, self.wanted, self.sight, self.next) = (what, wanted, sight, next)
        }
    }

    static let growing: [Case] = [
        Case("nothing to do with one", 1, sight([member(0)]), .settled),
        Case("the second is added", 3, sight([member(0)]), .add(ordinal: 1)),
        Case(
            "a volume of old goes first", 3, sight([member(0)], volumes: [1: .there]), .dropVolume(ordinal: 1)),
        Case(
            "a volume that goes is waited for", 3, sight([member(0)], volumes: [1: .going]),
            .wait("the volume of the etcd-1 that was is going")),
        Case(
            "the pod of one that was added", 3, sight([member(0), member(1, learner: true, started: false)], replicas: 1), .run(replicas: 2)
        ),
        Case(
            "killed between adding and the volume that nobody had looked at", 3,
            sight([member(0), member(1, learner: true, started: false)], replicas: 1, volumes: [1: .there]), .dropVolume(ordinal: 1)),
        Case(
            "a learner that comes up", 3,
            sight([member(0), member(1, learner: true, started: false)], pods: [1: .starting]), .wait("etcd-1 joins")),
        Case(
            "a learner whose pod was not told yet that it may join", 3,
            sight([member(0), member(1, learner: true, started: false)], pods: [1: .empty]), .renewPod(ordinal: 1)),
        Case(
            "a learner that finds what an earlier life left", 3,
            sight([member(0), member(1, learner: true, started: false)], pods: [1: .unusable("old")]), .dropVolume(ordinal: 1)),
        Case(
            "its claim goes once its pod does", 3,
            sight([member(0), member(1, learner: true, started: false)], pods: [1: .unusable("old")], volumes: [1: .going]),
            .renewPod(ordinal: 1)),
        Case(
            "a pod that names a claim which is gone", 3,
            sight([member(0), member(1, learner: true, started: false)], pods: [1: .withoutVolume], noVolumes: [1]),
            .renewPod(ordinal: 1)),
        Case("a learner that runs", 3, sight([member(0), member(1, learner: true)]), .promote(id: "m1", ordinal: 1)),
        Case(
            "a learner that has lost its data", 3, sight([member(0), member(1, learner: true)], pods: [1: .empty]),
            .remove(id: "m1", ordinal: 1)),
        Case(
            "no vote while a voter is silent", 3, sight([member(0), member(1), member(2, learner: true)], silent: [1]),
            .blocked("etcd-1 does not answer: no member is given a vote")),
        Case("the third after the second", 3, sight([member(0), member(1)]), .add(ordinal: 2)),
        Case(
            "no third while the second is silent", 3, sight([member(0), member(1)], silent: [1]),
            .blocked("etcd-1 does not answer: no member is added")),
        Case("three", 3, sight([member(0), member(1), member(2)]), .settled),
        Case("somebody scaled the StatefulSet down", 3, sight([member(0), member(1), member(2)], replicas: 2), .run(replicas: 3)),
        Case(
            "a stranger", 3,
            sight([
                member(0), EtcdMember(id: "9", name: "x", peerURL: "https://192.0.2.1:2380", hasStarted: true, isLearner: false),
            ]), .blocked("etcd has a member at https://192.0.2.1:2380 that Nestbox did not add: remove it, and nothing is changed before")),
    ]

    static let shrinking: [Case] = [
        Case("the last goes first", 1, sight([member(0), member(1), member(2)]), .remove(id: "m2", ordinal: 2)),
        Case("its lead goes before it", 1, sight([member(0), member(1), member(2)], leader: 2), .moveLeader(from: 2, to: "m0")),
        Case("one that is silent goes first", 1, sight([member(0), member(1), member(2)], silent: [1]), .remove(id: "m1", ordinal: 1)),
        Case(
            "not when another would be missed", 1, sight([member(0), member(1), member(2)], silent: [0]),
            .blocked("etcd-0 does not answer: no member is taken away")),
        Case("its pod after it", 1, sight([member(0), member(1)], replicas: 3), .run(replicas: 2)),
        Case("the second", 1, sight([member(0), member(1)]), .remove(id: "m1", ordinal: 1)),
        Case(
            "what is to stay comes back before another goes", 1, sight([member(1), member(2)], leader: 1, pods: [0: .empty]),
            .add(ordinal: 0)),
        Case("the second, when it leads", 1, sight([member(0), member(1)], leader: 1), .moveLeader(from: 1, to: "m0")),
        Case("pods after members", 1, sight([member(0)], replicas: 3, pods: [1: .ended, 2: .going]), .run(replicas: 1)),
        Case("then volumes", 1, sight([member(0)], volumes: [1: .there, 2: .there]), .dropVolume(ordinal: 1)),
        Case("one after the other", 1, sight([member(0)], volumes: [1: .going, 2: .there]), .dropVolume(ordinal: 2)),
        Case("that go by themselves", 1, sight([member(0)], volumes: [1: .going, 2: .going]), .settled),
        Case(
            "a learner that is wanted no more", 1, sight([member(0), member(1, learner: true, started: false)], replicas: 1),
            .remove(id: "m1", ordinal: 1)),
        Case("a third learner likewise", 1, sight([member(0), member(1), member(2, learner: true)]), .remove(id: "m2", ordinal: 2)),
    ]

    static let replacing: [Case] = [
        Case(
            "data gone", 3, sight([member(0), member(1), member(2)], pods: [1: .empty]), .remove(id: "m1", ordinal: 1)),
        Case(
            "a volume that is no more", 3,
            sight([member(0), member(1), member(2)], pods: [0: .unusable("gone")], volumes: [0: .lost("gone")]),
            .remove(id: "m0", ordinal: 0)),
        Case(
            "not while another is silent", 3, sight([member(0), member(1), member(2)], silent: [2], pods: [1: .empty]),
            .blocked("etcd-1 does not start (its data is gone); etcd-2 does not answer: it is not replaced")),
        Case(
            "not of two", 3, sight([member(0), member(1)], pods: [1: .empty]),
            .blocked("etcd-1 does not start (its data is gone), and there are not two others to replace it from")),
        Case(
            "one that only does not answer stays", 3, sight([member(0), member(1), member(2)], pods: [1: .starting]), .settled),
        Case(
            "corrupt, and leads", 3, sight([member(0), member(1), member(2)], corrupt: ["m0"]), .moveLeader(from: 0, to: "m1")),
        Case("corrupt", 3, sight([member(0), member(1), member(2)], corrupt: ["m2"]), .remove(id: "m2", ordinal: 2)),
        Case("removed, and its pod is the last", 3, sight([member(0), member(1)], replicas: 3, pods: [2: .ended]), .run(replicas: 2)),
        Case(
            "removed, and still ending", 3, sight([member(0), member(2)], pods: [1: .running]),
            .wait("etcd-1 comes back without its old data")),
        Case("removed, with old data", 3, sight([member(0), member(2)], pods: [1: .unusable("old")]), .dropVolume(ordinal: 1)),
        Case("removed, and ended without a word", 3, sight([member(0), member(2)], pods: [1: .ended]), .dropVolume(ordinal: 1)),
        Case(
            "its claim goes, and a pod still names it", 3, sight([member(0), member(2)], pods: [1: .starting], volumes: [1: .going]),
            .renewPod(ordinal: 1)),
        Case("removed and empty", 3, sight([member(0), member(2)], pods: [1: .empty]), .add(ordinal: 1)),
        Case(
            "added again", 3, sight([member(0), member(2), member(1, learner: true, started: false, id: "1b")], pods: [1: .empty]),
            .renewPod(ordinal: 1)),
        Case(
            "back", 3, sight([member(0), member(2), member(1, learner: true, id: "1b")]), .promote(id: "1b", ordinal: 1)),
    ]

    static let three = [member(0), member(1), member(2)]
    static let restarting: [Case] = [
        Case("a lone one that serves", 1, sight([member(0)], outdated: [0]), .restart(ordinal: 0)),
        Case(
            "but not with its volume", 1, sight([member(0)], volumes: [0: .going], outdated: [0]),
            .blocked("the volume of etcd-0 is being deleted and goes with its pod, which is not started anew")),
        Case("a lone one that does not", 1, sight([member(0)], pods: [0: .starting], outdated: [0]), .renewPod(ordinal: 0)),
        Case("the last first", 3, sight(three, outdated: [0, 1, 2]), .restart(ordinal: 2)),
        Case("but for the leader", 3, sight(three, leader: 2, outdated: [0, 1, 2]), .restart(ordinal: 1)),
        Case("who hands over", 3, sight(three, leader: 2, outdated: [2]), .moveLeader(from: 2, to: "m0")),
        Case(
            "none while another is down", 3, sight(three, pods: [0: .going], outdated: [0, 1, 2]),
            .wait("etcd-0 does not answer: no other member is started anew")),
        Case(
            "none while one that runs is silent", 3, sight(three, silent: [0], outdated: [1, 2]),
            .wait("etcd-0 does not answer: no other member is started anew")),
        Case("one that cannot start with what it was made with", 3, sight(three, pods: [0: .ended], outdated: [0]), .renewPod(ordinal: 0)),
        Case("one that runs and serves nobody", 3, sight(three, silent: [1], outdated: [1]), .renewPod(ordinal: 1)),
        Case(
            "but not while another is down", 3, sight(three, silent: [1], pods: [0: .going], outdated: [1]),
            .wait("etcd-0 and etcd-1 do not answer: no other member is started anew")),
        Case(
            "a learner that cannot start", 3,
            sight([member(0), member(1, learner: true, started: false)], pods: [1: .ended], outdated: [1]), .renewPod(ordinal: 1)),
        Case("a volume that is gone is data that is gone", 3, sight(three, pods: [1: .withoutVolume]), .remove(id: "m1", ordinal: 1)),
    ]

    @Test(arguments: growing + shrinking + replacing + restarting) func next(_ item: Case) {
        #expect(MembershipDecision(wanted: item.wanted, item.sight) == item.next)
    }

    @Test func onlyALearnerOpensTheDoor() {
        #expect(Self.sight([Self.member(0), Self.member(1, learner: true, started: false)]).joining == [0, 1])
        #expect(Self.sight([Self.member(0), Self.member(1, learner: true)]).joining == nil)
        #expect(Self.sight([Self.member(0), Self.member(1, started: false)]).joining == nil)
    }
}

/// The order in which API servers and etcd grow and shrink.
@Suite struct ScalingOrderTests {
    static func order(
        _ wanted: Int, voters: Int?, now: Int?, told: Int? = nil, isRolledOut: Bool = true, running: Int? = nil, isBootstrapped: Bool = true
    ) -> [Int] {
        let order = ScalingOrder(
            wanted: wanted, isBootstrapped: isBootstrapped, voters: voters,
            apiServers: ScalingOrder.APIServers(
                wanted: now, told: told ?? now, isRolledOut: isRolledOut, running: running ?? now ?? 0))
        return [order.apiServers, order.etcdServers, order.etcdMembers]
    }

    @Test func bothAtOnceAtFirst() {
        #expect(Self.order(3, voters: nil, now: nil, isBootstrapped: false) == [3, 3, 3])
        #expect(Self.order(1, voters: 1, now: 1, isBootstrapped: false) == [1, 1, 1])
    }

    @Test func etcdGrowsFirst() {
        #expect(Self.order(3, voters: 1, now: 1) == [1, 1, 3])
        #expect(Self.order(3, voters: 2, now: 1) == [1, 1, 3])
        #expect(Self.order(3, voters: nil, now: 1) == [1, 1, 3])
    }

    /// A Deployment whose size and pods change at once would first start as many of the old.
    @Test func theOneAPIServerIsToldBeforeThereAreThree() {
        #expect(Self.order(3, voters: 3, now: 1) == [1, 3, 3])
        #expect(Self.order(3, voters: 3, now: 1, told: 3, isRolledOut: false, running: 2) == [1, 3, 3])
        #expect(Self.order(3, voters: nil, now: 1, told: 3) == [3, 3, 3])
        // Three are wanted no more, and the one was told of three.
        #expect(Self.order(1, voters: 3, now: 1, told: 3) == [1, 1, 3])
    }

    @Test func aMemberThatIsReplacedRollsNobody() {
        #expect(Self.order(3, voters: 2, now: 3) == [3, 3, 3])
        #expect(Self.order(3, voters: nil, now: 3) == [3, 3, 3])
        // Somebody deleted the Deployment.
        #expect(Self.order(3, voters: 3, now: nil) == [3, 3, 3])
        #expect(Self.order(3, voters: 1, now: nil) == [1, 1, 3])
    }

    @Test func apiServersShrinkFirst() {
        #expect(Self.order(1, voters: 3, now: 3) == [1, 1, 3])
        #expect(Self.order(1, voters: 3, now: 1, isRolledOut: false) == [1, 1, 3])
        // A pod on its way out still uses the members that are to go.
        #expect(Self.order(1, voters: 3, now: 1, running: 2) == [1, 1, 3])
        #expect(Self.order(1, voters: 3, now: 1) == [1, 1, 1])
        #expect(Self.order(1, voters: 1, now: 1, isRolledOut: false) == [1, 1, 1])
    }
}
