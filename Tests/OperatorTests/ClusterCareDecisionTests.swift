import ControlPlane
import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import Operator

/// What is decided of certificates, pauses and deletions.
@Suite struct ClusterCareDecisionTests {
    private static let now = Date(timeIntervalSince1970: 1_785_585_600)
    private static let day: TimeInterval = 86400

    private static func item(_ name: String, _ kind: CertificateKind, from start: TimeInterval, to end: TimeInterval) -> CertificateStatus {
        CertificateStatus(
            name: name, kind: kind, notBefore: Timestamp.format(now.addingTimeInterval(start * day)),
            notAfter: Timestamp.format(now.addingTimeInterval(end * day)))
    }

    private static func cluster(_ change: (inout HostedCluster) -> Void = { _ in }) -> HostedCluster {
        var cluster = HostedCluster(
            metadata: ObjectMeta(name: "demo", namespace: "tenants", uid: "uid-1", generation: 1), spec: HostedClusterSpec())
        change(&cluster)
        return cluster
    }

    // MARK: certificates

    @Test(arguments: [
        // Of ten years, one before the end; of a short life, a fifth.
        (-3000.0, 651.0, false), (-3300.0, 351.0, true), (-70.0, 30.0, false), (-81.0, 19.0, true), (-100.0, -1.0, true),
    ])
    func anAuthoritysEndIsSaidWellAhead(start: Double, end: Double, isSaid: Bool) {
        let certificates = CertificatesStatus(items: [Self.item("etcd-ca", .authority, from: start, to: end)])
        let verdict = CertificateVerdict(certificates, now: Self.now)
        #expect((verdict.authority != nil) == isSaid)
        #expect(verdict.authority?.hasPrefix("etcd-ca \(end < 0 ? "ended" : "ends") at 20") ?? true)
    }

    @Test func whatHasEndedIsNamed() {
        let certificates = CertificatesStatus(items: [
            Self.item("cluster-ca", .authority, from: -10, to: 3640), Self.item("apiserver", .leaf, from: -10, to: 355),
            Self.item("scheduler", .leaf, from: -366, to: -1), Self.item("kubeconfig", .kubeconfig, from: -40, to: -10),
        ])
        #expect(CertificateVerdict(certificates, now: Self.now) == CertificateVerdict(expired: ["scheduler"]))
        var report = ClusterReport(Self.cluster { $0.status = HostedClusterStatus(certificates: certificates) })
        report.judgeCertificates(now: Self.now)
        #expect(report.status.conditions?.named("CertificatesValid")?.reason == "Expired")
        #expect(report.status.conditions?.named("AuthorityExpiring") == nil, "what was never so is not said")
        report.judgeCertificates(now: Self.now.addingTimeInterval(3600 * Self.day))
        #expect(report.status.conditions?.named("AuthorityExpiring")?.status == "True")
    }

    @Test func theStatusChangesOnlyWithACertificate() {
        let records = [
            Self.item("cluster-ca", .authority, from: -1, to: 3649), Self.item("b", .leaf, from: -1, to: 364),
            Self.item("a", .leaf, from: -2, to: 363),
        ]
        var report = ClusterReport(Self.cluster())
        report.certificates(records)
        report.kubeconfigCertificate(Self.item("kubeconfig", .kubeconfig, from: 0, to: 30))
        let certificates = report.status.certificates
        #expect(certificates?.nextExpiry == records[2].notAfter && certificates?.authorityExpiry == records[0].notAfter)
        #expect(certificates?.items?.map(\.name) == ["cluster-ca", "b", "a", "kubeconfig"])
        report.certificates(records)
        report.kubeconfigCertificate(Self.item("kubeconfig", .kubeconfig, from: 0, to: 30))
        #expect(report.status.certificates == certificates)
        report.kubeconfigCertificate(nil)
        #expect(report.status.certificates?.items?.count == 3)
    }

    @Test func whatIsAskedIsUnderstoodWholeOrNotAtAll() {
        let all = RenewalOrder(CertificateRenewalRequest(id: "1"))
        #expect(all.leaves == Set(Leaf.allCases) && all.renewsKubeconfig && all.answer(at: Self.now).state == .issued)
        let some = RenewalOrder(CertificateRenewalRequest(id: "2", certificates: ["scheduler"]))
        #expect(some.leaves == [.scheduler] && !some.renewsKubeconfig)
        let kubeconfig = RenewalOrder(CertificateRenewalRequest(id: "3", certificates: ["kubeconfig"]))
        #expect(kubeconfig.leaves.isEmpty && kubeconfig.renewsKubeconfig)
        let wrong = RenewalOrder(CertificateRenewalRequest(id: "4", certificates: ["scheduler", "cluster-ca"]))
        #expect(wrong.leaves.isEmpty && wrong.answer(at: Self.now).state == .refused)
        #expect(wrong.answer(at: Self.now).message?.hasPrefix("cluster-ca cannot be renewed; these can: apiserver, ") == true)
        let none = RenewalOrder(CertificateRenewalRequest(id: "5", certificates: []))
        #expect(none.leaves.isEmpty && !none.renewsKubeconfig)
    }

    /// Neither a kubeconfig nor what is reloaded waits for pods, and nothing that is not there is said to be renewed.
    @Test(arguments: [
        (["kubeconfig"], false, true, true), (["kubeconfig"], true, false, false), (["scheduler"], false, false, true),
        (["apiserver-kubelet-client"], false, true, false), (["apiserver-kubelet-client"], true, false, true), (nil, true, true, true),
        (nil, true, false, false), (nil, false, true, false),
    ])
    func aRenewalIsCompleteWhenWhatWasAskedIsInUse(names: [String]?, isRolledOut: Bool, isOffered: Bool, expected: Bool) throws {
        var report = ClusterReport(Self.cluster { _ in })
        report.update { $0.certificates = CertificatesStatus(renewal: CertificateRenewal(id: "1", state: .issued)) }
        let cluster = Self.cluster { $0.spec?.version = KubernetesVersion(1, 20, 2) }
        report.completeRenewal(
            CertificateRenewalRequest(id: "1", certificates: names), try ClusterSettings(cluster), isRolledOut: isRolledOut,
            isOffered: isOffered)
        #expect((report.status.certificates?.renewal?.state == .completed) == expected)
    }

    @Test func aKubeconfigIsAskedAnewByWhatWasAnswered() throws {
        func asked(_ names: [String]?, answer: String) throws -> Date? {
            let text = try CertificateRenewalRequest(id: "1", certificates: names).annotationText
            let cluster = Self.cluster { $0.metadata.annotations = [CertificateRenewalRequest.annotation: text] }
            let status = HostedClusterStatus(
                certificates: CertificatesStatus(
                    renewal: CertificateRenewal(id: answer, state: .issued, issuedAt: Timestamp.format(Self.now))))
            return cluster.kubeconfigAskedAnew(status)
        }
        #expect(try asked(nil, answer: "1") == Self.now)
        #expect(try asked(["kubeconfig"], answer: "1") == Self.now)
        #expect(try asked(["scheduler"], answer: "1") == nil)
        #expect(try asked(nil, answer: "0") == nil)
    }

    // MARK: pauses

    @Test func aPauseSaysWhyAndWhatEndsBeforeIt() {
        func paused(_ hours: Double, expiry: Double? = nil) -> HostedCluster {
            Self.cluster {
                $0.spec?.pausedUntil = Timestamp.format(Self.now.addingTimeInterval(hours * 3600))
                $0.metadata.annotations = [HostedClusterAnnotation.pauseReason: "storage is moved"]
                $0.status = HostedClusterStatus(
                    certificates: CertificatesStatus(nextExpiry: expiry.map { Timestamp.format(Self.now.addingTimeInterval($0 * 3600)) }))
            }
        }
        #expect(ClusterPause(Self.cluster(), now: Self.now) == nil)
        #expect(ClusterPause(paused(-1), now: Self.now) == nil)
        let pause = ClusterPause(paused(2, expiry: 3), now: Self.now)
        #expect(pause?.left == 7200 && pause?.message.hasSuffix(": storage is moved") == true)
        #expect(ClusterPause(paused(2, expiry: 1), now: Self.now)?.message.contains("its first certificate ends before that") == true)
        var report = ClusterReport(paused(-1))
        report.pause(nil, of: paused(-1))
        #expect(report.status.conditions?.named("ReconciliationActive")?.reason == "PauseEnded")
        report.pause(nil, of: Self.cluster())
        #expect(report.status.conditions?.named("ReconciliationActive")?.reason == "Active")
    }

    // MARK: deletion

    @Test func aProtectedClusterStaysThoughItIsDeleted() {
        func cluster(deleted: Bool, protected: Bool?) -> HostedCluster {
            Self.cluster {
                if deleted { $0.metadata.deletionTimestamp = "2026-01-01T00:00:00Z" }
                $0.spec?.deletionProtection = protected
            }
        }
        for (deleted, protected, leaves, held) in [
            (false, true, false, false), (false, nil, false, false), (true, nil, true, false), (true, false, true, false),
            (true, true, false, true),
        ] as [(Bool, Bool?, Bool, Bool)] {
            let cluster = cluster(deleted: deleted, protected: protected)
            #expect(cluster.isLeaving == leaves && cluster.isHeldBack == held)
            var report = ClusterReport(cluster)
            report.deletion(of: cluster)
            #expect((report.status.conditions?.named("Deleting")?.reason == "Protected") == held)
            #expect(report.status.deletion?.contains("nestbox unprotect cluster demo -n tenants") ?? !held)
        }
    }

    @Test func whatADeletionWaitsFor() {
        let machine = Machine(metadata: ObjectMeta(name: "m"), spec: MachineSpec(), status: MachineStatus(phase: .cleaning))
        #expect(DeletionPhase.cleaningMachines([machine]).waitingFor == "machines to be cleaned: m (Cleaning)")
        var namespace = Namespace(metadata: ObjectMeta(name: "hcp-a"))
        let bare = DeletionPhase.removingControlPlane(namespace, pods: [], claims: [])
        #expect(bare.waitingFor == "the namespace hcp-a to go, with the control plane in it" && bare.reason == "RemovingControlPlane")
        // A host whose extension API does not answer deletes no namespace, and says so there alone.
        namespace.status = NamespaceStatus(conditions: [
            StatusCondition(
                type: "NamespaceDeletionDiscoveryFailure", status: "True", reason: "DiscoveryFailed",
                message: "unable to retrieve metrics.k8s.io/v1beta1"),
            StatusCondition(type: "NamespaceDeletionContentFailure", status: "False", reason: "Deleted", message: "all is well"),
        ])
        let claim = PersistentVolumeClaim(metadata: ObjectMeta(name: "data-etcd-0"))
        let stuck = DeletionPhase.removingControlPlane(namespace, pods: [Pod(metadata: ObjectMeta(name: "etcd-0"))], claims: [claim])
        #expect(
            stuck.waitingFor
                == "the namespace hcp-a to go, with the control plane in it (pods etcd-0, volumes data-etcd-0); the host says: "
                + "unable to retrieve metrics.k8s.io/v1beta1")
    }

    /// What was deleted with the cluster's namespace stays with the cluster; what its owner deletes from a cluster that is well, goes.
    @Test(arguments: [(true, true, false), (true, false, true), (false, true, true), (false, false, true)])
    func aPoolIsHeldBackWithItsCluster(isDeleted: Bool, isProtected: Bool, isReleased: Bool) {
        var cluster = PoolDecisionTests.cluster
        if isDeleted { cluster.metadata.deletionTimestamp = "2026-01-01T00:00:00Z" }
        cluster.spec?.deletionProtection = isProtected
        var pool = PoolDecisionTests.pool(replicas: 1)
        pool.metadata.deletionTimestamp = "2026-01-01T00:00:00Z"
        let decision = PoolDecision(pool: pool, cluster: cluster, machines: [PoolDecisionTests.held("a", podCIDR: "10.244.0.0/24")])
        #expect(decision.releases == (isReleased ? ["a"] : []))
    }
}
