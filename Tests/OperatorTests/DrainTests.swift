import Foundation
import KubernetesAPI
import Testing

@testable import Operator

@Suite("DrainDecision and DrainReport") struct DrainTests {
    static func pod(_ name: String, _ change: (inout Pod) -> Void = { _ in }) -> Pod {
        var pod = Pod(metadata: ObjectMeta(name: name, namespace: "default", uid: name), status: PodStatus(phase: "Running"))
        change(&pod)
        return pod
    }

    static func owned(_ name: String, by kind: String) -> Pod {
        pod(name) {
            $0.metadata.ownerReferences = [OwnerReference(apiVersion: "apps/v1", kind: kind, name: "o", uid: "o", controller: true)]
        }
    }

    static func ending(_ name: String, at end: String) -> Pod { pod(name) { $0.metadata.deletionTimestamp = end } }

    @Test func eachKindOfPodHasItsWay() {
        let decision = DrainDecision(pods: [
            Self.owned("web", by: "ReplicaSet"), Self.owned("proxy", by: "DaemonSet"), Self.pod("unmanaged"),
            Self.pod("mirror") { $0.metadata.annotations = ["kubernetes.io/config.mirror": "h"] },
            Self.pod("scratch") { $0.spec = PodSpec(volumes: [Volume(name: "v", emptyDir: EmptyDirVolumeSource())]) },
            Self.pod("done") { $0.status?.phase = "Succeeded" }, Self.pod("failed") { $0.status?.phase = "Failed" },
            Self.pod("pending") { $0.status?.phase = "Pending" },
            Self.ending("going", at: "2026-01-01T00:00:00Z"),
            Self.owned("daemon-going", by: "DaemonSet"),
        ])
        #expect(decision.evict.map(\.name) == ["web", "unmanaged", "scratch", "pending"])
        #expect(decision.terminating.map(\.name) == ["going"])
        #expect(decision.staying.map(\.name) == ["proxy", "mirror", "daemon-going"])
        #expect(!decision.isOver)
    }

    @Test func whatStaysOrIsFinishedKeepsNoDrain() {
        let finished = Self.pod("done") { $0.status?.phase = "Succeeded" }
        let over = DrainDecision(pods: [Self.owned("proxy", by: "DaemonSet"), finished])
        #expect(over.isOver)
        let going = DrainDecision(pods: [Self.ending("going", at: "2026-01-01T00:00:00Z")])
        #expect(!going.isOver)
    }

    @Test func refusalsNameTheBudgetAndThePods() {
        let budget = "The disruption budget web needs 2 healthy pods and has 2 currently."
        let report = DrainReport(refusals: ["default/web-1": budget, "default/web-2": budget, "default/db-0": "no"])
        #expect(
            report.message == "cannot be evicted: no (pod default/db-0); \(budget) (2 pods default/web-1, default/web-2)")
        #expect(report.reason == "EvictionRefused")
        #expect(report.warnings(now: Date()) == [report.message])
    }

    @Test func longGracePeriodsAreSaidWithTheirEnd() throws {
        let now = try #require(Timestamp.parse("2026-01-01T00:00:00Z"))
        let report = DrainReport(terminating: [
            Self.ending("a", at: "2026-01-01T00:00:10Z"), Self.ending("slow", at: "2026-01-01T01:00:00Z"), Self.pod("asked"),
        ])
        #expect(
            report.message
                == "waits for the end of 3 pods default/slow, default/a, default/asked, until 2026-01-01T01:00:00Z at the latest")
        #expect(report.reason == "PodsEnding")
        #expect(report.warnings(now: now) == [report.message])
        #expect(DrainReport(terminating: [Self.ending("a", at: "2026-01-01T00:00:10Z")]).warnings(now: now) == [])
        #expect(DrainReport(terminating: [Self.pod("asked")]).message == "waits for the end of pod default/asked")
    }

    @Test func itStaysShort() {
        let many = (100..<300).map { Self.pod("pod-\($0)") }
        #expect(
            DrainReport(terminating: many).message
                == "waits for the end of 200 pods default/pod-100, default/pod-101, default/pod-102 and 197 more")
        let refusals = Dictionary(uniqueKeysWithValues: many.map { ($0.key, "for \($0.name)") })
        #expect(DrainReport(refusals: refusals).message.hasSuffix("; and 197 other reasons"))
        let said = Status(message: String(repeating: "long ", count: 500) + "\u{1b}[31m")
        #expect(DrainReport.words(said, otherwise: "").count <= 300)
        #expect(DrainReport(volumes: ["c", "a", "d", "b"]).message == "waits for volumes to be detached: a, b, c and 1 more")
    }

    @Test func aBudgetsOwnWordsAreKept() {
        let said = Status(
            message: "Cannot evict pod as it would violate the pod's disruption budget.",
            details: StatusDetails(causes: [StatusCause(reason: "DisruptionBudget", message: "The disruption budget web needs 1")]))
        #expect(DrainReport.words(said, otherwise: "x") == "The disruption budget web needs 1")
        #expect(DrainReport.words(Status(message: "two budgets"), otherwise: "x") == "two budgets")
        #expect(DrainReport.words(nil, otherwise: "x") == "x")
    }
}
