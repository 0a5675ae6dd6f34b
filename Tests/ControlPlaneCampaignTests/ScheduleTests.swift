import TestCampaign
import Testing

@testable import control_plane_campaign

@Suite("What is done to a control plane")
struct ScheduleTests {
    @Test func eachRoundEndsAsItBegan() {
        let schedule = OperationSchedule(times: 2, replicas: 3)
        #expect(schedule.versions == ["v1.20.3", "v1.20.4"])
        #expect(
            schedule.operations == [
                .upgrade(to: "v1.20.3"), .scale(to: 1), .scale(to: 3), .renewal, .upgrade(to: "v1.20.4"), .scale(to: 1), .scale(to: 3),
                .renewal,
            ])
        #expect(OperationSchedule(times: 1, replicas: 1).operations[1...2] == [.scale(to: 3), .scale(to: 1)])
    }

    @Test func aSeedDecidesWhichFaultsHitWhichMember() {
        var generators = (SeededGenerator(seed: 7), SeededGenerator(seed: 7))
        let first = EtcdFault.schedule(20, using: &generators.0)
        let second = EtcdFault.schedule(20, using: &generators.1)
        #expect(first.map(\.fault) == second.map(\.fault) && first.map(\.member) == second.map(\.member))
        #expect(Set(first.prefix(6).map(\.fault)).count == 6, "each kind comes once before any comes twice")
        #expect(first.allSatisfy { (0..<3).contains($0.member) })
    }
}

@Suite("When a control plane is as it was asked for")
struct SightTests {
    private func sight(_ controlPlane: String, _ etcd: String = "3 1 1 3 3 3 etcd:3.4") -> ControlPlaneSight {
        var sight = ControlPlaneSight()
        sight.version = "v1.20.3"
        sight.available = "True"
        sight.controlPlane = ControlPlaneSight.Workload(controlPlane)
        sight.etcd = ControlPlaneSight.Workload(etcd)
        return sight
    }

    @Test func itIs() {
        #expect(sight("3 7 7 3 3 3 k/kube-apiserver:v1.20.3").lacking(version: "v1.20.3", replicas: 3) == [])
    }

    @Test(arguments: [
        ("3 8 7 3 3 3 k:v1.20.3", "control plane: 3 wanted, 3 there, 3 up to date, 3 ready of 3"),
        ("3 7 7 4 3 3 k:v1.20.3", "control plane: 3 wanted, 4 there, 3 up to date, 3 ready of 3"),
        ("3 7 7 3 3 - k:v1.20.3", "control plane: 3 wanted, 3 there, 3 up to date, 0 ready of 3"),
        ("1 7 7 1 1 1 k:v1.20.3", "control plane: 1 wanted, 1 there, 1 up to date, 1 ready of 3"),
        ("3 7 7 3 3 3 k:v1.20.2", "the pods' image is k:v1.20.2"),
    ])
    func itIsNot(workload: String, words: String) {
        #expect(sight(workload).lacking(version: "v1.20.3", replicas: 3) == [words])
    }

    @Test func etcdCounts() {
        #expect(
            sight("3 7 7 3 3 3 k:v1.20.3", "3 1 1 3 3 2 etcd:3.4").lacking(version: "v1.20.3", replicas: 3)
                == ["etcd: 3 wanted, 3 there, 3 up to date, 2 ready of 3"])
    }
}
