import Foundation
import KubernetesVersions
import NestboxAPI
import Testing

@testable import Operator

/// Whether a cluster may be upgraded, by what is known of it.
@Suite struct UpgradeChecksTests {
    static let accepted = PinnedVersion(KubernetesVersion(1, 21, 5), release: "v0.1.0")
    static let target = PinnedVersion(KubernetesVersion(1, 22, 0), release: "v0.1.0")
    static let now = Date(timeIntervalSince1970: 1_785_585_600)

    static func facts(_ change: (inout UpgradeFacts) -> Void = { _ in }) -> UpgradeFacts {
        var facts = UpgradeFacts(path: UpgradePath(accepted: accepted, status: HostedClusterStatus(version: accepted.version)))
        facts.etcd = .known([UpgradeFacts.Member(name: "etcd-0", databaseSize: 1000, alarms: [])])
        facts.etcdQuota = 100 * 1_048_576
        facts.certificates = [
            UpgradeFacts.Certificate(
                name: "certificate apiserver", notBefore: now.addingTimeInterval(-1000), notAfter: now.addingTimeInterval(1e7))
        ]
        facts.now = now
        change(&facts)
        return facts
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var check: String
        var result: UpgradeCheckResult
        var message: String
        var facts: UpgradeFacts
        var target = UpgradeChecksTests.target
        var testDescription: String { message }

        init(
            _ check: String, _ result: UpgradeCheckResult, _ message: String, to target: PinnedVersion = UpgradeChecksTests.target,
            _ change: (inout UpgradeFacts) -> Void = { _ in }
        ) {
            (self.check, self.result, self.message, self.target) = (check, result, message, target)
            facts = UpgradeChecksTests.facts(change)
        }
    }

    static func kubelet(_ whose: String, _ version: String) -> UpgradeFacts.Kubelet { UpgradeFacts.Kubelet(whose: whose, version: version) }
    static func api(_ name: String, _ removed: String, used: Bool) -> DeprecatedAPI {
        DeprecatedAPI(name: name, removedIn: removed, isUsed: used)
    }

    static let cases = [
        Case("Version", .passed, "from v1.21.5, release v0.1.0 to v1.22.0, release v0.1.0"),
        Case(
            "Version", .failed, "v1.23.0 is more than one minor release after v1.21.5: upgrade to 1.22 first",
            to: PinnedVersion(KubernetesVersion(1, 23, 0), release: "v0.1.0")),
        Case("Version", .passed, "it is v1.21.5, release v0.1.0 already, or becomes it now", to: accepted),
        Case("Nodes", .passed, "there are none"),
        Case("Nodes", .passed, "all kubelets may stay as they are beside v1.22.0") {
            $0.kubelets = [kubelet("node a", "v1.20.2"), kubelet("node b", "v1.21.5")]
        },
        Case(
            "Nodes", .failed,
            "first upgrade node pool old (v1.19.16), node a (v1.19.3): a kubelet v1.19.16 is too old for an API server v1.22.0, which takes 1.20 and newer"
        ) { $0.kubelets = [kubelet("node pool old", "v1.19.16"), kubelet("node a", "v1.19.3"), kubelet("node b", "v1.21.5")] },
        Case("Nodes", .failed, "first upgrade node a (unknown, which is no version)") {
            $0.kubelets = [kubelet("node a", "unknown\u{1b}[2J")]
        },
        Case("DeprecatedAPIs", .passed, "nothing that v1.22.0 does not have was asked for since the API server started"),
        Case(
            "DeprecatedAPIs", .failed,
            "clients of the tenant still use what v1.22.0 does not have: extensions/v1beta1 ingresses (gone in 1.22)"
        ) {
            $0.deprecated = .known([api("extensions/v1beta1 ingresses", "1.22", used: true), api("policy/v1beta1 psp", "1.25", used: true)])
        },
        Case(
            "DeprecatedAPIs", .warning,
            "what v1.22.0 does not have was listed or watched, maybe by Kubernetes' own controllers only: extensions/v1beta1 ingresses (gone in 1.22)"
        ) { $0.deprecated = .known([api("extensions/v1beta1 ingresses", "1.22", used: false)]) },
        Case("DeprecatedAPIs", .warning, "in use, and gone in a later version: policy/v1beta1 psp (gone in 1.25)") {
            $0.deprecated = .known([api("policy/v1beta1 psp", "1.25", used: true), api("batch/v1beta1 cronjobs", "1.25", used: false)])
        },
        Case("DeprecatedAPIs", .warning, "which deprecated APIs are in use could not be learned: no") { $0.deprecated = .unknown("no") },
        Case("Etcd", .passed, "1 of 1 members are healthy"),
        Case("Etcd", .failed, "etcd is not healthy: etcd-1 does not answer") { $0.etcd = .unknown("etcd-1 does not answer") },
        Case("Etcd", .failed, "etcd-0 raises CORRUPT, NOSPACE") {
            $0.etcd = .known([UpgradeFacts.Member(name: "etcd-0", databaseSize: 1, alarms: ["NOSPACE", "CORRUPT"])])
        },
        Case("Etcd", .failed, "the database of etcd-0 takes 95 MiB of 100 MiB: make room first") {
            $0.etcd = .known([UpgradeFacts.Member(name: "etcd-0", databaseSize: 95 * 1_048_576, alarms: [])])
        },
        Case(
            "Etcd", .warning,
            "etcd becomes registry.k8s.io/etcd:3.5.24-0 first, after a snapshot; its one member restarts, and the API does not answer meanwhile"
        ) { $0.nextEtcd = "registry.k8s.io/etcd:3.5.24-0" },
        Case("Etcd", .passed, "etcd becomes registry.k8s.io/etcd:3.5.24-0 first, one member after the other, after a snapshot") {
            $0.nextEtcd = "registry.k8s.io/etcd:3.5.24-0"
            $0.etcdMembers = 3
        },
        Case("Certificates", .passed, "none is about to end"),
        Case("Certificates", .failed, "certificate scheduler ends at 2026-08-01T13:00:00Z: renew it first") {
            $0.certificates.append(
                UpgradeFacts.Certificate(
                    name: "certificate scheduler", notBefore: now.addingTimeInterval(-1e7), notAfter: now.addingTimeInterval(3600)))
        },
        // Those of a day at most are renewed all the time.
        Case("Certificates", .passed, "none is about to end") {
            $0.certificates = [
                UpgradeFacts.Certificate(
                    name: "certificate scheduler", notBefore: now.addingTimeInterval(-600), notAfter: now.addingTimeInterval(600))
            ]
        },
        Case("Images", .passed, "where an image is not, it is pulled; should that fail, what serves now goes on"),
        Case(
            "Images", .passed,
            "kube-apiserver:v1.22.0 is on 0 of the host's nodes that were asked; where an image is not, it is pulled; should that fail, what serves now goes on"
        ) { $0.nodesWithImage = 0 },
    ]

    @Test(arguments: cases) func oneThingAtATime(example: Case) throws {
        let check = try #require(UpgradeChecks.run(example.target, example.facts).first { $0.name == example.check })
        #expect(check.result == example.result && check.message == example.message, "\(check)")
    }

    @Test func allAreLookedAtUnlessThereIsNoWay() {
        let names = UpgradeChecks.run(Self.target, Self.facts()).map(\.name)
        #expect(names == ["Version", "Nodes", "DeprecatedAPIs", "Etcd", "Certificates", "Images"])
        let skip = PinnedVersion(KubernetesVersion(1, 24, 0), release: "v0.1.0")
        #expect(UpgradeChecks.run(skip, Self.facts()).map(\.name) == ["Version"])
        #expect(UpgradeChecks.run(Self.target, Self.facts()).refusal == nil)
        let both = Self.facts {
            $0.etcd = .unknown("it is away")
            $0.kubelets = [Self.kubelet("node a", "v1.19.3")]
        }
        #expect(
            UpgradeChecks.run(Self.target, both).refusal
                == "first upgrade node a (v1.19.3): a kubelet v1.19.3 is too old for an API server v1.22.0, which takes 1.20 and newer; "
                + "etcd is not healthy: it is away")
    }

    // MARK: deprecated APIs

    @Test func deprecatedAPIsAreReadFromMetrics() {
        let metrics = #"""
            # HELP apiserver_requested_deprecated_apis Gauge
            apiserver_requested_deprecated_apis{group="extensions",removed_release="1.22",resource="ingresses",subresource="",version="v1beta1"} 1
            apiserver_requested_deprecated_apis{group="policy",removed_release="1.25",resource="podsecuritypolicies",subresource="",version="v1beta1"} 1
            apiserver_requested_deprecated_apis{group="batch",removed_release="1.25",resource="cronjobs",subresource="status",version="v1beta1"} 1
            apiserver_requested_deprecated_apis{group="x",removed_release="",resource="never",subresource="",version="v1beta1"} 1
            apiserver_request_total{code="200",component="apiserver",contentType="application/json",dry_run="",group="extensions",resource="ingresses",scope="cluster",subresource="",verb="LIST",version="v1beta1"} 7
            apiserver_request_total{code="201",component="apiserver",contentType="application/json",dry_run="",group="policy",resource="podsecuritypolicies",scope="cluster",subresource="",verb="POST",version="v1beta1"} 1
            apiserver_request_total{code="404",component="apiserver",contentType="a\"},b",dry_run="",group="batch",resource="cronjobs",scope="namespace",subresource="status",verb="GET",version="v1beta1"} 1
            apiserver_request_total{code="200",group="batch",resource="cronjobs",subresource="",verb="GET",version="v1beta1"} 1
            broken{
            apiserver_request_total{group="extensions
            """#
        #expect(
            DeprecatedAPI.all(inMetrics: metrics) == [
                Self.api("batch/v1beta1 cronjobs/status", "1.25", used: false),
                Self.api("extensions/v1beta1 ingresses", "1.22", used: false),
                Self.api("policy/v1beta1 podsecuritypolicies", "1.25", used: true),
            ])
        let api = Self.api("a", "1.25", used: true)
        #expect(!api.isGone(in: KubernetesVersion(1, 24, 9)) && api.isGone(in: KubernetesVersion(1, 25, 0)))
        #expect(!Self.api("a", "soon", used: true).isGone(in: KubernetesVersion(1, 36, 0)))
    }

    /// Of a cluster that does not serve, too.
    @Test func theWayBackNeedsNoLook() {
        let (old, new) = (
            PinnedVersion(KubernetesVersion(1, 20, 2), release: "v0.2.0"), PinnedVersion(KubernetesVersion(1, 21, 0), release: "v0.2.0")
        )
        var status = HostedClusterStatus()
        status.follow(old, at: "1")
        status.noteCompleted(at: "2")
        status.follow(new, at: "3")
        let path = UpgradePath(accepted: new, status: status)
        #expect(UpgradeChecks.withoutLooking(old, path)?.refusal == nil && UpgradeChecks.withoutLooking(old, path)?.count == 1)
        let later = PinnedVersion(KubernetesVersion(1, 21, 1), release: "v0.2.0")
        #expect(UpgradeChecks.withoutLooking(later, path) == nil)
        status.noteServed(at: "4")
        #expect(UpgradeChecks.withoutLooking(old, UpgradePath(accepted: new, status: status))?.refusal != nil)
    }

    // MARK: etcd

    @Test(arguments: [
        (nil, "3.5.24-0", "3.5.24-0"), ("3.4.13-0", "3.5.24-0", "3.5.24-0"), ("3.5.24-0", "3.5.24-0", "3.5.24-0"),
        // The data of a newer one stays its.
        ("3.6.8-0", "3.5.24-0", "3.6.8-0"), ("mine", "3.5.24-0", "3.5.24-0"),
        // Somebody else's tags say how old the data is, and are not to be had from everywhere.
        ("v3.5.9", "3.4.13-0", "3.5.24-0"), ("3.6.1-hardened", "3.5.24-0", "3.6.8-0"), ("3.9.0-0", "3.6.8-0", "3.9.0-0"),
        ("7b2f", "3.4.13-0", "3.4.13-0"),
    ])
    func etcdNeverGoesBack(present: String?, wanted: String, expected: String) {
        #expect(EtcdImageChoice.tag(present: present, wanted: wanted) == expected)
    }

    @Test(arguments: [
        ("r/etcd:3.4.13-0", "r/etcd:3.5.24-0", true), ("r/etcd:3.5.24-0", "r/etcd:3.5.24-0", false),
        ("r/etcd:3.5.24-0", "r/etcd:3.4.13-0", false), ("r/etcd:3.5.24-0", "other/etcd:3.5.24-0", true), ("r/etcd:a", "r/etcd:a", false),
        ("r:5000/etcd", "r:5000/etcd:3.5.24-0", true), ("r/etcd:v3.5.24@sha256:9f", "r/etcd:3.5.24-0", false),
    ])
    func aStepIsToANewerOne(present: String, wanted: String, expected: Bool) {
        #expect(EtcdImageChoice.isStep(from: present, to: wanted) == expected)
    }
}
