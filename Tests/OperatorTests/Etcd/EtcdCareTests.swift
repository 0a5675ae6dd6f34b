import Testing

@testable import Operator

/// When an etcd is compacted, defragmented and freed of an alarm, and what is said of it.
@Suite struct EtcdCareTests {
    static let quota: Int64 = 1 << 30
    static let mebibyte: Int64 = 1 << 20

    /// - Parameter sizes: in MiB, of the file and of what is in use, by ordinal; the first leads.
    static func space(
        _ sizes: [(Int64, Int64)], alarms: [EtcdAlarm] = [], defragmented: [Int: Duration] = [:], compacted: Duration? = nil
    ) -> EtcdSpace {
        var space = EtcdSpace(
            members: sizes.indices.map { MembershipDecisionTests.member($0) }, statuses: [:], alarms: alarms, quota: quota,
            defragmented: defragmented, compacted: compacted)
        for (ordinal, size) in sizes.enumerated() {
            var status = MembershipDecisionTests.status("m\(ordinal)", leader: "m0")
            status.size = size.0 * mebibyte
            status.sizeInUse = size.1 * mebibyte
            space.statuses[ordinal] = status
        }
        return space
    }

    static let full = [EtcdAlarm(memberID: "m0", kind: .noSpace)]

    @Test func aTidyOneIsLeftAlone() {
        #expect(Self.space([(20, 2), (20, 2), (20, 2)]).decision == .nothing)
        #expect(Self.space([(500, 300), (500, 300), (500, 300)]).decision == .nothing)
        #expect(Self.space([(900, 900)]).decision == .nothing)
    }

    @Test func holesAreClosedOneMemberAtATimeTheLeaderLast() {
        let sizes: [(Int64, Int64)] = [(200, 50), (200, 50), (200, 50)]
        #expect(Self.space(sizes).decision == .defragment(ordinal: 1))
        #expect(Self.space([(200, 50), (50, 50), (200, 50)]).decision == .defragment(ordinal: 2))
        #expect(Self.space([(200, 50), (50, 50), (50, 50)]).decision == .defragment(ordinal: 0))
        // Not again within the hour.
        #expect(Self.space(sizes, defragmented: [1: .seconds(3000), 2: .seconds(3700)]).decision == .defragment(ordinal: 2))
        #expect(Self.space(sizes, defragmented: [0: .seconds(1), 1: .seconds(1), 2: .seconds(1)]).decision == .nothing)
    }

    @Test func notWhileAMemberIsUnwell() {
        var space = Self.space([(200, 50), (200, 50), (200, 50)])
        space.statuses[2] = nil
        #expect(space.decision == .nothing)
        space = Self.space([(200, 50), (200, 50), (200, 50)])
        space.statuses[2]?.leaderID = EtcdStatus.nobody
        #expect(space.decision == .nothing)
        space = Self.space([(200, 50), (200, 50), (200, 50)])
        space.members[2].isLearner = true
        #expect(space.decision == .nothing)
    }

    @Test func aLoneMemberPausesOnlyForRoomThatIsNeeded() {
        #expect(Self.space([(400, 50)]).decision == .nothing)
        #expect(Self.space([(700, 50)]).decision == .defragment(ordinal: 0))
    }

    @Test func aFullOneIsCompactedThenDefragmentedThenFreed() {
        let sizes: [(Int64, Int64)] = [(1020, 1000), (1020, 1000), (1020, 1000)]
        #expect(Self.space(sizes, alarms: Self.full).decision == .compact)
        // It gave nothing back: a person has to.
        #expect(Self.space(sizes, alarms: Self.full, compacted: .seconds(10)).decision == .nothing)
        #expect(Self.space(sizes, alarms: Self.full, compacted: .seconds(400)).decision == .compact)
        let holed: [(Int64, Int64)] = [(1020, 100), (1020, 100), (90, 90)]
        #expect(Self.space(holed, alarms: Self.full, compacted: .seconds(10)).decision == .defragment(ordinal: 1))
        #expect(
            Self.space(holed, alarms: Self.full, defragmented: [1: .seconds(5)], compacted: .seconds(10)).decision
                == .defragment(ordinal: 0))
        #expect(Self.space([(90, 90), (90, 90), (90, 90)], alarms: Self.full).decision == .disarm(Self.full[0]))
    }

    @Test func theAlarmOfAMemberThatIsGoneIsTakenBack() {
        let left = EtcdAlarm(memberID: "9", kind: .corrupt)
        #expect(Self.space([(20, 20)], alarms: [left]).decision == .disarm(left))
    }

    /// As an etcd before 3.6 raises it.
    @Test func anAlarmThatNamesNobodyIsNotTakenBack() {
        for id in ["", "0"] {
            let space = Self.space([(20, 2), (20, 2), (20, 2)], alarms: [EtcdAlarm(memberID: id, kind: .corrupt)])
            #expect(space.decision == .nothing)
            let health = EtcdHealth(MembershipDecisionTests.sight(space.members), space, namespace: "hcp-a")
            #expect(!health.isTrue && health.reason == "DataDiffers")
        }
    }

    @Test func whatIsSaid() {
        func health(_ space: EtcdSpace, _ change: (inout EtcdSight) -> Void = { _ in }) -> EtcdHealth {
            var sight = MembershipDecisionTests.sight(space.members)
            change(&sight)
            return EtcdHealth(sight, space, namespace: "hcp")
        }
        let fine = Self.space([(20, 20), (20, 20), (20, 20)])
        #expect(health(fine) == EtcdHealth(isTrue: true, reason: "Healthy"))
        let down = health(fine) { $0.statuses[1] = nil }
        #expect(down.reason == "MemberDown" && down.message == "etcd-1 of 3 members does not answer: kubectl -n hcp describe pod etcd-1")
        let damaged = health(fine) {
            $0.statuses[1] = nil
            $0.pods[1] = .empty
        }
        #expect(damaged.reason == "MemberDamaged" && damaged.message == "etcd-1: its data is gone; it is replaced while the others serve")
        let going = health(fine) { $0.volumes[2] = .going }
        #expect(going.reason == "VolumeTerminating" && going.message.hasPrefix("the claim of etcd-2's volume is being deleted"))
        #expect(health(Self.space([(20, 20)])) { $0.volumes[0] = .going }.message.contains("spec.controlPlane.replicas: 3"))
        #expect(health(Self.space([(900, 900), (900, 900), (900, 900)])).reason == "SpaceLow")
        let full = health(Self.space([(1020, 900)], alarms: Self.full))
        #expect(full.reason == "NoSpace" && full.message.contains("its quota of 1.0 GiB"))
    }
}
