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

    /// As after a restore that did not bring the namespace's annotation back.
    @Test func whatWasAcceptedIsKnownByTheStatusToo() {
        var cluster = Self.cluster { $0.version = KubernetesVersion(1, 22, 0) }
        cluster.status = HostedClusterStatus(etcdClusterID: "1", version: KubernetesVersion(1, 20, 2))
        cluster.status?.follow(PinnedVersion(KubernetesVersion(1, 20, 2), release: "v0.2.0"), at: "1")
        cluster.status?.noteCompleted(at: "2")
        let choice = SpecChoice(asked: cluster, accepted: nil)
        #expect(choice.cluster?.spec?.pinned == PinnedVersion(KubernetesVersion(1, 20, 2), release: "v0.2.0"))
        #expect(choice.upgrade == PinnedVersion(KubernetesVersion(1, 22, 0), release: "v0.2.0"))
    }

    @Test func anotherVersionWaitsForItsChecksAndNothingElseDoes() {
        let accepted = Self.cluster()
        let to21 = PinnedVersion(KubernetesVersion(1, 21, 0), release: Defaults.release)
        func asked(_ version: KubernetesVersion, served: Bool? = nil) -> HostedCluster {
            var cluster = Self.cluster {
                $0.version = version
                $0.pausedUntil = "2026-01-01T00:00:00Z"
            }
            var status = HostedClusterStatus(version: KubernetesVersion(1, 20, 2))
            status.follow(PinnedVersion(KubernetesVersion(1, 20, 2), release: Defaults.release), at: "1")
            status.noteCompleted(at: "2")
            if let served {
                status.follow(to21, at: "3")
                if served { status.noteServed(at: "4") }
            }
            cluster.status = status
            return cluster
        }
        let held = SpecChoice(asked: asked(to21.version), accepted: accepted.spec)
        #expect(held.refusal == nil && held.upgrade == to21)
        #expect(held.cluster?.spec?.version == KubernetesVersion(1, 20, 2) && held.cluster?.spec?.pausedUntil != nil)

        let skip = SpecChoice(asked: asked(KubernetesVersion(1, 22, 0)), accepted: accepted.spec)
        #expect(skip.upgrade == nil && skip.refusal?.message.contains("upgrade to 1.21 first") == true)

        // Back, at once, while nothing of the new one has served; and not after.
        var begun = accepted
        begun.spec?.version = to21.version
        let back = SpecChoice(asked: asked(KubernetesVersion(1, 20, 2), served: false), accepted: begun.spec)
        #expect(back.upgrade == nil && back.refusal == nil && back.cluster?.spec?.version == KubernetesVersion(1, 20, 2))
        let late = SpecChoice(asked: asked(KubernetesVersion(1, 20, 2), served: true), accepted: begun.spec)
        #expect(late.refusal?.reason == "Immutable" && late.cluster?.spec?.version == to21.version)

        // One that never served anything is built as it is asked for.
        var new = asked(to21.version)
        new.status = nil
        #expect(SpecChoice(asked: new, accepted: accepted.spec).cluster?.spec?.version == to21.version)
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
            return KubeconfigDecision(present: secret, clusterUID: "uid-1", wanted: origin(madeAt: now), lifetime: 9000)
        }
        #expect(KubeconfigDecision(present: nil, clusterUID: "uid-1", wanted: origin(madeAt: now), lifetime: 9000) == .make)
        #expect(decide(nil) == .leaveAlone)
        #expect(decide(nil, owner: "uid-of-another") == .leaveAlone)
        #expect(decide(nil, owner: "uid-1") == .make)
        let young = origin(madeAt: now.addingTimeInterval(-5999))
        #expect(decide(young) == .keep(young))
        #expect(young.renewal == now.addingTimeInterval(1))
        #expect(decide(origin(madeAt: now.addingTimeInterval(-6000))) == .make)
        #expect(decide(origin("192.0.2.2:30001", madeAt: now)) == .make)

        // Somebody asked for another.
        #expect(young.serves(origin(madeAt: now), lifetime: 9000, asked: young.madeAt))
        #expect(!young.serves(origin(madeAt: now), lifetime: 9000, asked: young.madeAt.addingTimeInterval(1)))
        // A shorter life is asked for.
        #expect(!young.serves(origin(madeAt: now), lifetime: 600, asked: nil))
        // One that lasts as long as its authority is kept: a new one would last no longer.
        var bound = origin(madeAt: now.addingTimeInterval(-8000))
        var wanted = origin(madeAt: now)
        bound.expires = now.addingTimeInterval(500)
        wanted.expires = now.addingTimeInterval(500)
        #expect(bound.serves(wanted, lifetime: 9000, asked: nil))
    }

    // MARK: the host's nodes

    @Test func aHeartbeatMovesNothing() {
        func node(_ address: String, heartbeat: String, ready: String = "True") -> Node {
            Node(
                metadata: ObjectMeta(name: "host-1"),
                status: NodeStatus(
                    conditions: [StatusCondition(type: "Ready", status: ready, reason: heartbeat, message: "")],
                    addresses: [NodeAddress(type: "InternalIP", address: address)]))
        }
        let before = node("192.0.2.1", heartbeat: "1")
        #expect(!InformerChange.updated(old: before, new: node("192.0.2.1", heartbeat: "2")).movesTraffic)
        #expect(InformerChange.updated(old: before, new: node("192.0.2.2", heartbeat: "1")).movesTraffic)
        #expect(InformerChange.updated(old: before, new: node("192.0.2.1", heartbeat: "1", ready: "Unknown")).movesTraffic)
        #expect(InformerChange.added(before).movesTraffic)
        #expect(InformerChange.deleted(before).movesTraffic)
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

    @Test func aSessionGoesOnWithANewCertificateAndIsOpenedAnewElsewhere() async throws {
        let settings = try ClusterSettings(Self.cluster())
        let sessions = TenantSessions(logger: .init(label: "test"), rightsLost: { _, _ in }, statusChanged: { _ in }, nodeChanged: { _ in })
        let keys = try ClusterKeys.make(settings, now: Date()).renewed(settings, published: [], now: Date()).keys
        func open(_ keys: ClusterKeys, at address: String) async throws -> TenantSession {
            let tenant = TenantAccess(address: address, keys: keys)
            return try await sessions.open(
                cluster: ObjectKey(namespace: "tenants", name: "demo"), clusterUID: "uid-1",
                access: tenant.configuration(with: keys.leaves[.operatorClient]))
        }
        let first = try await open(keys, at: "192.0.2.1")
        #expect(try await open(keys, at: "192.0.2.1") === first)
        var renewed = keys
        renewed.leaves[.operatorClient] = nil
        renewed = try renewed.renewed(settings, published: [], now: Date()).keys
        // No watch is taken up anew, and no list is empty for a moment, for a certificate that was renewed.
        #expect(try await open(renewed, at: "192.0.2.1") === first && sessions.session("uid-1") === first)
        let second = try await open(renewed, at: "192.0.2.2")
        #expect(second !== first && sessions.session("uid-1") === second)
        sessions.close("uid-1")
        #expect(sessions.session("uid-1") == nil)
    }
}
