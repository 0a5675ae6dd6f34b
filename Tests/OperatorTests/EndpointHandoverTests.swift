import ControlPlane
import Foundation
import KubernetesAPI
import NestboxAPI
import Testing

@testable import Operator

@Suite("Old endpoints go when the new ones are confirmed")
struct EndpointHandoverTests {
    private let now = Date(timeIntervalSince1970: 1_790_000_000)
    private let old = PublishedEndpoints(api: ["192.0.2.1:30443"], tunnel: ["192.0.2.1:30132"])
    private let new = PublishedEndpoints(api: ["192.0.2.2:30443"], tunnel: ["192.0.2.2:30132"])
    private var both: PublishedEndpoints { PublishedEndpoints(api: new.api + old.api, tunnel: new.tunnel + old.tunnel) }

    private func report(_ endpoints: PublishedEndpoints?, unconfirmed: String = "") -> Lease {
        var annotations = ["nestbox.dev/nodes-without-agent": ""]
        if let endpoints {
            annotations["nestbox.dev/endpoints"] = EndpointHandover.text(endpoints)
            annotations["nestbox.dev/nodes-unconfirmed"] = unconfirmed
        }
        return Lease(metadata: ObjectMeta(name: "x", annotations: annotations))
    }

    private func retiring(since seconds: TimeInterval) -> RetiringEndpoints {
        RetiringEndpoints(api: old.api, tunnel: old.tunnel, since: Timestamp.format(now.addingTimeInterval(-seconds)))
    }

    private func decide(before: PublishedEndpoints? = nil, since seconds: TimeInterval?, _ reports: [Lease]) -> EndpointHandover {
        EndpointHandover(
            published: new, before: before ?? new, retiring: seconds.map(retiring), reports: reports, now: now)
    }

    @Test func whereNothingChangedThereIsNothing() {
        for before in [PublishedEndpoints(), new] {
            let handover = decide(before: before, since: nil, [])
            #expect(handover.retiring == nil && handover.told == new && handover.message.isEmpty)
            #expect(handover.timeLeft(at: now) == nil)
        }
    }

    @Test func theOldAreToldBesideTheNew() {
        let handover = decide(before: old, since: nil, [report(old)])
        #expect(handover.told == both)
        #expect(handover.retiring == retiring(since: 0))
        #expect(handover.timeLeft(at: now) == EndpointHandover.patience)
        #expect(handover.message.hasPrefix("its nodes have yet to confirm"))
    }

    @Test func untilEveryServerSaysThatEveryAgentConfirmed() {
        for reports in [[], [report(both), report(old)], [report(both, unconfirmed: "b"), report(both)], [report(both), report(nil)]] {
            let handover = decide(since: 60, reports)
            #expect(handover.told == both && handover.retiring == retiring(since: 60) && !handover.isOverdue)
        }
        let handover = decide(since: 60, [report(both), report(both)])
        #expect(handover.told == new && handover.retiring == nil && handover.message.isEmpty)
    }

    @Test func nobodyKeepsThemForEverAndWhoTriedIsNamed() {
        let waiting = decide(since: 601, [report(both, unconfirmed: "b,a")])
        #expect(waiting.told == new && waiting.isOverdue && waiting.retiring == retiring(since: 601))
        #expect(waiting.message.hasPrefix("a, b did not confirm the new endpoints within 10 minutes, and may know 192.0.2.1:30443 only"))
        #expect(waiting.timeLeft(at: now) == nil)
        let confirmed = decide(since: 700, [report(new)])
        #expect(confirmed.retiring == nil && !confirmed.isOverdue && confirmed.message.isEmpty)
        let silent = decide(since: 700, [report(nil)])
        #expect(silent.retiring == nil && silent.told == new, "servers of an older release never say so")
    }

    @Test func aSecondChangeKeepsBothAndGoingBackKeepsNone() {
        let third = PublishedEndpoints(api: ["192.0.2.3:30443"], tunnel: ["192.0.2.3:30132"])
        let handover = EndpointHandover(published: third, before: new, retiring: retiring(since: 500), reports: [], now: now)
        #expect(handover.told.api == ["192.0.2.3:30443", "192.0.2.1:30443", "192.0.2.2:30443"])
        #expect(handover.retiring?.since == Timestamp.format(now))
        let back = EndpointHandover(published: old, before: new, retiring: retiring(since: 5), reports: [], now: now)
        #expect(back.told.api == ["192.0.2.1:30443", "192.0.2.2:30443"])
    }
}
