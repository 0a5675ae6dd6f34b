import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

/// What a control plane may become, by what it was accepted as and what has served.
@Suite struct UpgradePathTests {
    static let old = PinnedVersion(KubernetesVersion(1, 20, 3), release: "v0.1.0")
    static let time = "2026-08-01T12:00:00Z"

    /// After 1.20.3 was completed, 1.21.0 was accepted, and has served or not.
    static func underWay(served: Bool, _ version: KubernetesVersion = KubernetesVersion(1, 21, 0), release: String = "v0.1.0")
        -> UpgradePath
    {
        var status = HostedClusterStatus(version: old.version)
        status.follow(old, at: time)
        status.noteCompleted(at: time)
        let next = PinnedVersion(version, release: release)
        status.follow(next, at: time)
        if served { status.noteServed(at: time) }
        return UpgradePath(accepted: next, status: status)
    }

    struct Step: Sendable, CustomTestStringConvertible {
        var path: UpgradePath
        var to: String
        var release = "v0.1.0"
        var refusal: String?
        var isWayBack = false
        var testDescription: String { "\(path.accepted), after \(path.served) served, to \(to), \(release)" }
    }

    static let settled = UpgradePath(accepted: old, status: HostedClusterStatus(version: old.version))

    @Test(arguments: [
        Step(path: settled, to: "v1.20.3"),
        Step(path: settled, to: "v1.20.9"),
        Step(path: settled, to: "v1.21.14"),
        Step(path: settled, to: "v1.22.0", refusal: "v1.22.0 is more than one minor release after v1.20.3: upgrade to 1.21 first"),
        Step(path: settled, to: "v1.20.2", refusal: "v1.20.2 is older than v1.20.3, and a control plane cannot go back"),
        Step(path: settled, to: "v1.20.3", release: "v0.2.0"),
        Step(path: settled, to: "v1.21.0", release: "v0.2.0"),
        // Nothing of 1.21.0 has served: it binds nobody.
        Step(path: underWay(served: false), to: "v1.20.3", isWayBack: true),
        Step(path: underWay(served: false), to: "v1.21.1"),
        Step(path: underWay(served: false), to: "v1.20.4"),
        Step(
            path: underWay(served: false), to: "v1.20.2",
            refusal: "v1.20.2 is older than v1.20.3, and a control plane cannot go back"),
        Step(
            path: underWay(served: false), to: "v1.22.0",
            refusal: "v1.22.0 is more than one minor release after v1.20.3: upgrade to 1.21 first"),
        // One replica of it serves.
        Step(
            path: underWay(served: true), to: "v1.20.3",
            refusal: "v1.20.3 is older than v1.21.0, and a control plane cannot go back"),
        Step(path: underWay(served: true), to: "v1.21.1"),
        Step(
            path: underWay(served: true), to: "v1.22.0",
            refusal: "v1.22.0 is more than one minor release after v1.20.3: upgrade to 1.21 first"),
        // Of a release the same.
        Step(path: underWay(served: false, old.version, release: "v0.2.0"), to: "v1.20.3", isWayBack: true),
        Step(
            path: underWay(served: true, old.version, release: "v0.2.0"), to: "v1.20.3",
            refusal: "v0.1.0 is older than v0.2.0, and a control plane cannot go back"),
    ])
    func oneMinorAtATimeAndBackOnlyBeforeItServed(step: Step) throws {
        let target = PinnedVersion(try #require(KubernetesVersion(step.to)), release: step.release)
        #expect(step.path.refusal(of: target)?.message == step.refusal)
        #expect(step.path.isWayBack(to: target) == step.isWayBack)
    }

    @Test func whatTheHistoryDoesNotKnowIsTakenToHaveServed() {
        let path = UpgradePath(
            accepted: PinnedVersion(KubernetesVersion(1, 21, 0), release: "v0.1.0"), status: HostedClusterStatus(version: Self.old.version))
        #expect(path.served == path.accepted && path.refusal(of: Self.old) != nil)
    }

    /// One replica of 1.21.0 served and wrote; 1.21.1, which was to mend it, never did.
    @Test func whatFollowsSomethingThatServedDoesNotOpenTheWayBack() {
        var status = HostedClusterStatus(version: Self.old.version)
        let (first, second) = (KubernetesVersion(1, 21, 0), KubernetesVersion(1, 21, 1))
        status.follow(Self.old, at: "1")
        status.noteCompleted(at: "2")
        status.follow(PinnedVersion(first, release: "v0.1.0"), at: "3")
        status.noteServed(at: "4")
        status.follow(PinnedVersion(second, release: "v0.1.0"), at: "5")
        let path = UpgradePath(accepted: PinnedVersion(second, release: "v0.1.0"), status: status)
        #expect(!path.isWayBack(to: Self.old))
        #expect(path.refusal(of: Self.old)?.message == "v1.20.3 is older than v1.21.0, and a control plane cannot go back")
        #expect(path.refusal(of: PinnedVersion(first, release: "v0.1.0")) == nil)
        #expect(path.refusal(of: PinnedVersion(KubernetesVersion(1, 21, 2), release: "v0.1.0")) == nil)
    }

    @Test func aHistoryTellsWhatBecameOfEach() {
        var status = HostedClusterStatus()
        let next = PinnedVersion(KubernetesVersion(1, 21, 0), release: "v0.1.0")
        status.follow(Self.old, at: "1")
        status.follow(Self.old, at: "2")
        status.noteServed(at: "3")
        status.noteServed(at: "4")
        status.noteCompleted(at: "5")
        status.noteCompleted(at: "6")
        #expect(
            status.versionHistory == [
                VersionHistoryEntry(
                    version: Self.old.version, release: "v0.1.0", state: .completed, startedAt: "1", servedAt: "3", completedAt: "5")
            ])
        // Begun, and taken back.
        status.follow(next, at: "7")
        #expect(status.latestVersion?.state == .partial && status.completedVersion?.version == Self.old.version)
        status.follow(Self.old, at: "8")
        #expect(status.versionHistory?.map(\.state) == [.completed, .withdrawn])
        #expect(status.latestVersion?.pinned == Self.old && status.versionHistory?.last?.completedAt == "8")
        // Begun again; it served, and another followed before it was complete.
        status.follow(next, at: "9")
        status.noteServed(at: "10")
        status.follow(PinnedVersion(KubernetesVersion(1, 21, 1), release: "v0.1.0"), at: "11")
        #expect(status.versionHistory?.map(\.state) == [.completed, .withdrawn, .partial, .partial])

        for patch in 2..<100 { status.follow(PinnedVersion(KubernetesVersion(1, 21, patch), release: "v0.1.0"), at: "12") }
        #expect(status.versionHistory?.count == HostedClusterStatus.longestHistory)
        #expect(status.latestVersion?.version.patch == 99)
        // What serves is not forgotten.
        #expect(status.completedVersion?.pinned == Self.old)
    }

    @Test func theWayBackLeadsPastAllThatNeverServed() {
        var status = HostedClusterStatus()
        status.follow(Self.old, at: "1")
        status.noteCompleted(at: "2")
        for patch in 0..<3 { status.follow(PinnedVersion(KubernetesVersion(1, 21, patch), release: "v0.1.0"), at: "3") }
        status.follow(Self.old, at: "4")
        #expect(status.versionHistory?.map(\.state) == [.completed, .withdrawn, .withdrawn, .withdrawn])
        status.noteServed(at: "5")
        #expect(status.versionHistory?.map(\.servedAt) == ["2", nil, nil, nil])
    }

    @Test func aChangeOfTheSpecIsJudgedSo() {
        var cluster = HostedCluster(
            metadata: ObjectMeta(name: "c", namespace: "n"),
            spec: HostedClusterSpec(version: KubernetesVersion(1, 21, 0), release: "v0.1.0"))
        let before = cluster
        cluster.status = HostedClusterStatus(version: Self.old.version)
        cluster.status?.follow(Self.old, at: Self.time)
        cluster.status?.noteCompleted(at: Self.time)
        cluster.status?.follow(PinnedVersion(KubernetesVersion(1, 21, 0), release: "v0.1.0"), at: Self.time)
        cluster.spec?.version = Self.old.version
        cluster.spec?.release = nil
        #expect(cluster.validateUpdate(from: before).isEmpty)
        cluster.status?.noteServed(at: Self.time)
        #expect(
            cluster.validateUpdate(from: before).map(\.description) == [
                "spec.version: v1.20.3 is older than v1.21.0, and a control plane cannot go back"
            ])
        cluster.spec?.version = KubernetesVersion(1, 21, 0)
        cluster.spec?.release = "v0.2.0"
        #expect(cluster.validateUpdate(from: before).isEmpty)
    }

    @Test(arguments: ["", "{}", "no", #"{"id":""}"#, #"{"id":"a b"}"#, #"{"id":"1","version":"newest"}"#])
    func whatCannotBeAnsweredIsNoQuestion(text: String) {
        #expect(UpgradeRequest(annotation: text) == nil)
    }

    @Test func aQuestionComesThrough() throws {
        let request = UpgradeRequest(id: "1-a", version: KubernetesVersion(1, 21, 0), release: "v0.2.0")
        #expect(UpgradeRequest(annotation: try request.annotationText) == request)
        #expect(UpgradeRequest(annotation: #"{"id":"1"}"#) == UpgradeRequest(id: "1"))
    }
}
