import Foundation
import KubernetesAPI
import Testing

@testable import Operator

@Suite struct SnapshotDecisionTests {
    static let now = Date(timeIntervalSince1970: 1_785_585_600)

    static func job(_ status: JobStatus?, going: Bool = false) -> Job {
        Job(metadata: ObjectMeta(name: "j", deletionTimestamp: going ? "2026-01-01T00:00:00Z" : nil), status: status)
    }

    @Test(arguments: [
        (nil, SnapshotDecision.take),
        (job(nil), .wait),
        (job(JobStatus(active: 1, failed: 1)), .wait),
        (job(JobStatus(succeeded: 1, completionTime: "2026-08-01T11:30:00Z")), .taken),
        (job(JobStatus(succeeded: 1, completionTime: "2026-08-01T10:30:00Z")), .again),
        (job(JobStatus(succeeded: 1)), .again),
        (job(JobStatus(failed: 3, conditions: [StatusCondition(type: "Failed", status: "True")])), .again),
        (job(JobStatus(succeeded: 1, completionTime: "2026-08-01T11:30:00Z"), going: true), .wait),
    ])
    func oneIsTakenAndKeptFresh(job: Job?, expected: SnapshotDecision) {
        #expect(SnapshotDecision(job, now: Self.now) == expected)
    }
}
