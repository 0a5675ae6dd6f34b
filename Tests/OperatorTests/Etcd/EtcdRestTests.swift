import KubernetesAPI
import Testing

@testable import Operator

/// When an etcd that needed nothing is asked again.
@Suite struct EtcdRestTests {
    static let view = EtcdView(
        clusterID: "c", leader: 0, sight: MembershipDecisionTests.sight([MembershipDecisionTests.member(0)]), alarms: [])

    /// - Parameter pod: the version of etcd's pod, as the API server counts changes.
    static func host(pod: String = "7", claim: String = "5", replicas: Int = 1) -> EtcdHost {
        EtcdHost(
            ControlPlaneSight(
                statefulSet: StatefulSet(metadata: ObjectMeta(name: "etcd"), spec: StatefulSetSpec(replicas: replicas)),
                pods: [
                    Pod(metadata: ObjectMeta(name: "etcd-0", labels: ["nestbox.dev/component": "etcd"], uid: "p", resourceVersion: pod))
                ], claims: [PersistentVolumeClaim(metadata: ObjectMeta(name: "data-etcd-0", uid: "v", resourceVersion: claim))]),
            members: 3)
    }

    @Test func whatHasNotChangedIsNotAskedAgain() throws {
        let log = EtcdCareLog()
        #expect(log.rest(of: "uid", Self.host()) == nil)
        log.rest(Self.view, Self.host(), for: .seconds(300), of: "uid")
        let rest = try #require(log.rest(of: "uid", Self.host()))
        #expect(rest.view == Self.view && rest.left > .seconds(290) && rest.left <= .seconds(300))
        #expect(log.rest(of: "another", Self.host()) == nil)
    }

    @Test func whatHasChangedIs() {
        let log = EtcdCareLog()
        log.rest(Self.view, Self.host(), for: .seconds(300), of: "uid")
        // As when it is ready no more, or was started anew.
        #expect(log.rest(of: "uid", Self.host(pod: "8")) == nil)
        #expect(log.rest(of: "uid", Self.host(claim: "6")) == nil)
        #expect(log.rest(of: "uid", Self.host(replicas: 3)) == nil)
        log.endRest(of: "uid")
        #expect(log.rest(of: "uid", Self.host()) == nil)
    }

    @Test func noRestLastsForEver() {
        let log = EtcdCareLog()
        log.rest(Self.view, Self.host(), for: .zero, of: "uid")
        #expect(log.rest(of: "uid", Self.host()) == nil)
    }
}
