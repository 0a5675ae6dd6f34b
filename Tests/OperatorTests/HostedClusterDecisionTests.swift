import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesVersions
import Logging
import NestboxAPI
import Testing

@testable import Operator

/// What a pass over a HostedCluster decides before it touches anything.
@Suite struct HostedClusterDecisionTests {
    static func cluster(_ change: (inout HostedClusterSpec) -> Void = { _ in }) -> HostedCluster {
        var spec = HostedClusterSpec(version: KubernetesVersion(1, 20, 2), release: Defaults.release)
        change(&spec)
        return HostedCluster(metadata: ObjectMeta(name: "demo", namespace: "tenants", uid: "uid-1"), spec: spec).withDefaults()
    }

    // MARK: the spec

    @Test func aGoodSpecIsChosen() {
        let asked = Self.cluster()
        #expect(SpecChoice(asked: asked, accepted: nil) == SpecChoice(cluster: asked))
        #expect(SpecChoice(asked: asked, accepted: asked.spec) == SpecChoice(cluster: asked))
    }

    @Test func aRefusedSpecGivesWayToTheAcceptedOne() {
        let accepted = Self.cluster()
        let moved = SpecChoice(asked: Self.cluster { $0.network = NetworkSpec(pods: "10.99.0.0/16") }, accepted: accepted.spec)
        #expect(moved.cluster == accepted)
        #expect(moved.refusal?.reason == "Immutable")
        #expect(moved.refusal?.message.hasSuffix("the control plane goes on with the spec it had") == true)

        let nonsense = SpecChoice(asked: Self.cluster { $0.network = NetworkSpec(pods: "nonsense") }, accepted: accepted.spec)
        #expect(nonsense.cluster == accepted)
        #expect(nonsense.refusal?.reason == "Invalid")
    }

    @Test func anInvalidSpecWithNoneBeforeItIsNothingToWorkFrom() {
        let choice = SpecChoice(asked: Self.cluster { $0.network = NetworkSpec(pods: "nonsense") }, accepted: nil)
        #expect(choice.cluster == nil)
        #expect(choice.refusal?.reason == "Invalid")
    }

    @Test(arguments: [
        // A new cluster has the newest; one that names its release has that.
        (nil, false, nil, "v0.2.0"), ("v0.1.0", false, nil, "v0.1.0"),
        // One that left it out keeps what it was accepted with, whatever is newest now.
        (nil, true, "v0.1.0", "v0.1.0"), (nil, true, "v0.2.0", "v0.2.0"), ("v0.2.0", true, "v0.1.0", "v0.2.0"),
        // Accepted before there were two.
        (nil, true, "", "v0.1.0"), (nil, true, nil, "v0.1.0"),
    ])
    func aReleaseIsPinnedWhenItIsAccepted(asked: String?, hasServed: Bool, accepted: String?, expected: String) {
        var cluster = Self.cluster { $0.release = asked }
        if hasServed { cluster.status = HostedClusterStatus(etcdClusterID: "1") }
        let before = accepted.map { release in Self.cluster { $0.release = release.isEmpty ? nil : release } }
        let choice = SpecChoice(asked: cluster, accepted: before?.spec)
        #expect(choice.refusal == nil && choice.cluster?.spec?.release == expected)
    }

    // MARK: the namespace

    static func namespace(uid: String?, isGoing: Bool = false) -> Namespace {
        var metadata = ObjectMeta(name: "hcp", labels: uid.map { [NestboxLabel.clusterUID: $0] })
        if isGoing { metadata.deletionTimestamp = "2026-01-01T00:00:00Z" }
        return Namespace(metadata: metadata)
    }

    @Test(arguments: [
        (nil, false, NamespaceState.absent),
        (nil, true, .lost("its namespace hcp is gone, and the keys and the data with it")),
        (namespace(uid: "uid-1"), false, .own(namespace(uid: "uid-1"))),
        (namespace(uid: "uid-1"), true, .own(namespace(uid: "uid-1"))),
        (namespace(uid: nil), false, .taken),
        (namespace(uid: "uid-2"), false, .taken),
        (namespace(uid: nil), true, .lost("its namespace hcp is gone, and one that was not made for it has taken the name")),
        (namespace(uid: "uid-1", isGoing: true), false, .ending),
        (namespace(uid: "uid-1", isGoing: true), true, .lost("its namespace hcp is being deleted")),
    ])
    func whatStandsUnderTheName(present: Namespace?, isBootstrapped: Bool, expected: NamespaceState) {
        #expect(NamespaceState(present, name: "hcp", clusterUID: "uid-1", isBootstrapped: isBootstrapped) == expected)
    }

    // MARK: the kubeconfig

    @Test func onlyOurOwnKubeconfigIsWritten() {
        let now = Date(timeIntervalSince1970: 1_785_585_600)
        func origin(_ server: String = "192.0.2.1:30001", madeAt: Date) -> KubeconfigOrigin {
            KubeconfigOrigin(server: server, fingerprint: "sha256:1", madeAt: madeAt, expires: madeAt.addingTimeInterval(9000))
        }
        func decide(_ made: KubeconfigOrigin?, owner: String? = nil) -> KubeconfigDecision {
            let secret = Secret(
                metadata: ObjectMeta(
                    name: "demo-kubeconfig", annotations: made.map { [KubeconfigOrigin.annotation: $0.text] },
                    ownerReferences: owner.map { [OwnerReference(apiVersion: "v1", kind: "HostedCluster", name: "demo", uid: $0)] }))
            return KubeconfigDecision(present: secret, clusterUID: "uid-1", wanted: origin(madeAt: now))
        }
        #expect(KubeconfigDecision(present: nil, clusterUID: "uid-1", wanted: origin(madeAt: now)) == .make)
        #expect(decide(nil) == .leaveAlone)
        #expect(decide(nil, owner: "uid-of-another") == .leaveAlone)
        #expect(decide(nil, owner: "uid-1") == .make)
        let young = origin(madeAt: now.addingTimeInterval(-5999))
        #expect(decide(young) == .keep(young))
        #expect(young.renewal == now.addingTimeInterval(1))
        #expect(decide(origin(madeAt: now.addingTimeInterval(-6000))) == .make)
        #expect(decide(origin("192.0.2.2:30001", madeAt: now)) == .make)
    }

    // MARK: the host's nodes

    @Test func aHeartbeatMovesNothing() {
        func node(_ address: String, heartbeat: String) -> Node {
            Node(
                metadata: ObjectMeta(name: "host-1"),
                status: NodeStatus(
                    conditions: [StatusCondition(type: "Ready", status: "True", reason: heartbeat, message: "")],
                    addresses: [NodeAddress(type: "InternalIP", address: address)]))
        }
        let before = node("192.0.2.1", heartbeat: "1")
        #expect(!InformerChange.updated(old: before, new: node("192.0.2.1", heartbeat: "2")).movesAddresses)
        #expect(InformerChange.updated(old: before, new: node("192.0.2.2", heartbeat: "1")).movesAddresses)
        #expect(InformerChange.added(before).movesAddresses)
        #expect(InformerChange.deleted(before).movesAddresses)
    }

    // MARK: loss

    @Test func whatIsLostTakesItsConditionsAndComesBack() throws {
        var cluster = Self.cluster()
        var conditions = ConditionSet(nil, generation: 1, now: Date(timeIntervalSince1970: 0))
        for type in ["Available", "EtcdAvailable", "Published"] { conditions.set(type, true, reason: "Good", message: "") }
        cluster.status = HostedClusterStatus(conditions: conditions.list)
        var report = ClusterReport(cluster)
        report.lost("the keys are gone")
        func status(_ type: String) -> String? { report.status.conditions?.named(type)?.status }
        #expect(report.isLost && status("ControlPlaneLost") == "True" && status("Available") == "False")
        #expect(status("EtcdAvailable") == "False" && status("Published") == "True")
        #expect(status("KubeAPIServerAvailable") == nil, "what was never told is not told now")

        cluster.status = report.status
        report = ClusterReport(cluster)
        report.found()
        #expect(!report.isLost && status("ControlPlaneLost") == "False")
        report = ClusterReport(Self.cluster())
        report.found()
        #expect(status("ControlPlaneLost") == nil)
    }

    // MARK: sessions

    @Test func aSessionIsOpenedAnewWhenItsAccessChanged() throws {
        let settings = try ClusterSettings(Self.cluster())
        let sessions = TenantSessions(logger: .init(label: "test"), rightsLost: { _, _ in }, tunnelChanged: { _ in }, nodeChanged: { _ in })
        let keys = try ClusterKeys.make(settings, now: Date()).renewed(settings, published: [], now: Date()).keys
        func open(_ keys: ClusterKeys, at address: String) throws -> TenantSession {
            let tenant = TenantAccess(address: address, keys: keys)
            return try sessions.open(
                cluster: ObjectKey(namespace: "tenants", name: "demo"), clusterUID: "uid-1",
                access: tenant.configuration(with: keys.leaves[.operatorClient]))
        }
        let first = try open(keys, at: "192.0.2.1")
        #expect(try open(keys, at: "192.0.2.1") === first)
        var renewed = keys
        renewed.leaves[.operatorClient] = nil
        renewed = try renewed.renewed(settings, published: [], now: Date()).keys
        let second = try open(renewed, at: "192.0.2.1")
        #expect(second !== first && sessions.session("uid-1") === second)
        #expect(try open(renewed, at: "192.0.2.2") !== second)
        sessions.close("uid-1")
        #expect(sessions.session("uid-1") == nil)
    }
}
