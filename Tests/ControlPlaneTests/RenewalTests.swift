import FoundationEssentials
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import ControlPlane

@Suite struct RenewalTests {
    static let start = Date(timeIntervalSince1970: 1_800_000_000)
    static let wanted = CertificateRequest(
        commonName: "u", organizations: ["a", "b"], dnsNames: ["x", "y"], ipAddresses: ["192.0.2.1"], usages: [.client], lifetime: 900)

    private var good: CertificateFacts {
        get throws {
            let authority = try CertificateAuthority(commonName: "ca", lifetime: 900, now: Self.start)
            var facts = try CertificateFacts(certificatePEM: authority.certificatePEM)
            facts.commonName = "u"
            facts.organizations = ["b", "a"]
            facts.dnsNames = ["y", "x"]
            facts.ipAddresses = ["192.0.2.1"]
            facts.usages = [.client]
            facts.notBefore = Self.start
            facts.notAfter = Self.start.addingTimeInterval(900)
            facts.authorityKeyID = facts.keyID
            return facts
        }
    }

    private func reason(after seconds: TimeInterval = 0, _ change: (inout CertificateFacts) -> Void = { _ in }) throws -> RenewalReason? {
        var authority = try good
        authority.notAfter = Self.start.addingTimeInterval(9000)
        var facts = try good
        facts.authorityKeyID = authority.keyID
        change(&facts)
        return Renewal.reason(for: facts, wanted: Self.wanted, authority: authority, now: Self.start.addingTimeInterval(seconds))
    }

    @Test func servesUntilTwoThirdsOfItsLife() throws {
        #expect(try reason() == nil)
        #expect(try reason(after: 599) == nil)
        #expect(try reason(after: 600) == .expiring(notAfter: Self.start.addingTimeInterval(900)))
        #expect(try reason(after: 5000) != nil)
    }

    /// A new one would end with the same second.
    @Test func oneThatLastsAsLongAsItsAuthorityIsKept() throws {
        #expect(try reason(after: 8900) { $0.notAfter = Self.start.addingTimeInterval(9000) } == nil)
        #expect(try reason(after: 8900) { $0.notAfter = Self.start.addingTimeInterval(8900) } != nil)
        #expect(
            try reason(after: 8900) { facts in
                facts.notAfter = Self.start.addingTimeInterval(9000)
                facts.dnsNames = ["z"]
            } == .changed("names"))
    }

    @Test func saysWhatChanged() throws {
        #expect(try reason { $0.authorityKeyID = "00" } == .otherAuthority)
        #expect(try reason { $0.authorityKeyID = nil } == .otherAuthority)
        #expect(try reason { $0.commonName = "v" } == .changed("user"))
        #expect(try reason { $0.organizations = ["a"] } == .changed("groups"))
        #expect(try reason { $0.dnsNames = ["x"] } == .changed("names"))
        #expect(try reason { $0.ipAddresses = ["192.0.2.1", "192.0.2.2"] } == .changed("names"))
        #expect(try reason { $0.usages = [.client, .server] } == .changed("usages"))
    }

    @Test func anUnreadableOneIsReplaced() throws {
        let issued = IssuedCertificate(certificatePEM: "nonsense", keyPEM: "")
        let reason = Renewal.reason(for: issued, wanted: Self.wanted, authority: try good, now: Self.start)
        guard case .unreadable? = reason else {
            Issue.record("\(String(describing: reason))")
            return
        }
        #expect(Renewal.reason(for: nil, wanted: Self.wanted, authority: try good, now: Self.start) == .missing)
    }

    // MARK: all of a cluster's

    private static func settings(_ release: TemplateRevision = .newest, leafLifetime: String? = nil) throws -> ClusterSettings {
        try ClusterSettings(
            Fixture.cluster(KubernetesVersion(1, 20, 2)) {
                $0.release = release.release
                $0.certificates = CertificatesSpec(leafLifetime: leafLifetime)
            })
    }

    private static let day: TimeInterval = 86400

    /// Whom the pods are rolled for, by the template and by the time that a renewal leaves.
    @Test func asFewAsCanBeRollThePods() throws {
        func rolling(_ settings: ClusterSettings) -> Set<Leaf> { Set(Leaf.allCases.filter { !$0.isReloaded(settings) }) }
        #expect(
            rolling(try Self.settings(.first))
                == [.kubeletClient, .etcdClient, .frontProxyClient, .controllerManager, .scheduler, .tunnelClient])
        #expect(rolling(try Self.settings()) == [.kubeletClient])
        #expect(rolling(try Self.settings(leafLifetime: "30m")) == [.kubeletClient])
        // Two hundred seconds are left of ten minutes: who looks every five would be late.
        #expect(rolling(try Self.settings(leafLifetime: "10m")) == [.kubeletClient, .controllerManager, .scheduler])
    }

    /// A kube-apiserver before 1.33 that runs longer than a year no longer speaks to itself.
    @Test(arguments: TemplateRevision.allCases) func anAPIServerIsStartedAnewWithinAYear(release: TemplateRevision) throws {
        let settings = try Self.settings(release, leafLifetime: "43800h")
        let keys = try ClusterKeys.make(settings, now: Self.start).renewed(settings, published: [], now: Self.start).keys
        let before = try keys.hash(settings, [.apiServer])
        let later = Self.start.addingTimeInterval(250 * Self.day)
        let (renewed, renewals) = try keys.renewed(settings, published: [], now: later)
        #expect(renewals.map(\.leaf) == [.kubeletClient])
        #expect(try renewed.hash(settings, [.apiServer]) != before)
    }

    /// Leaves that were issued at other times than the rest are renewed with them, once.
    @Test func oneRolloutServesAllThatRoll() throws {
        let settings = try Self.settings(.first)
        let keys = try ClusterKeys.make(settings, now: Self.start).renewed(settings, published: [], now: Self.start).keys
        var older = keys
        // Issued again after forty days, as one that somebody asked for.
        let (asked, which) = try older.renewed(
            settings, published: [], asked: [.scheduler, .apiServer], now: Self.start.addingTimeInterval(40 * Self.day))
        #expect(which.map(\.reason) == [.asked, .asked] && which.map(\.leaf) == [.apiServer, .scheduler])
        older = asked
        let due = try older.renewals(settings, published: [], now: Self.start.addingTimeInterval(244 * Self.day))
        #expect(due.first { $0.leaf == .scheduler }?.reason == .besideAnother)
        #expect(!due.contains { $0.leaf == .apiServer }, "what is reloaded rolls nobody, and keeps its time")
        // One that is young yet stays.
        let (young, _) = try keys.renewed(settings, published: [], asked: [.scheduler], now: Self.start.addingTimeInterval(200 * Self.day))
        #expect(
            try !young.renewals(settings, published: [], now: Self.start.addingTimeInterval(244 * Self.day)).contains {
                $0.leaf == .scheduler
            })
    }

    /// A cluster that nobody touches for its authorities' ten years: every certificate is good on every day, the pods are rolled no more
    /// than fifteen times, and the end brings no storm of renewals.
    @Test(arguments: TemplateRevision.allCases) func tenYearsAlone(release: TemplateRevision) throws {
        let settings = try Self.settings(release)
        var keys = try ClusterKeys.make(settings, now: Self.start).renewed(settings, published: [], now: Self.start).keys
        var hash = try keys.hash(settings, [.apiServer, .controllerManager, .scheduler, .tunnel])
        var (rollouts, renewals, sinceRollout, longest) = (0, 0, 0, 0)
        for day in stride(from: 10, to: 3650, by: 10) {
            let now = Self.start.addingTimeInterval(Double(day) * Self.day)
            let result = try keys.renewed(settings, published: [], now: now)
            keys = result.keys
            renewals += result.renewals.count
            let next = try keys.hash(settings, [.apiServer, .controllerManager, .scheduler, .tunnel])
            sinceRollout += 10
            if next != hash { (rollouts, sinceRollout) = (rollouts + 1, 0) }
            longest = max(longest, sinceRollout)
            hash = next
            if day % 30 == 0 {
                for leaf in try keys.records(settings) where leaf.kind == .leaf {
                    #expect(try #require(Timestamp.parse(leaf.notAfter)) > now, "\(leaf.name) on day \(day)")
                }
            }
        }
        #expect(rollouts <= 15 && renewals <= 15 * Leaf.allCases.count, "\(rollouts) rollouts, \(renewals) renewals")
        // The last of them lasts as long as the authority, up to a year.
        #expect(longest <= 366, "a pod ran for \(longest) days")
        #expect(keys.nextRenewal() == nil, "nothing is left that could be renewed")
    }

    @Test func theStatusShowsAllOfThem() throws {
        let settings = try Self.settings()
        let keys = try ClusterKeys.make(settings, now: Self.start).renewed(settings, published: [], now: Self.start).keys
        let records = try keys.records(settings)
        #expect(records.map(\.name) == ["cluster-ca", "etcd-ca", "front-proxy-ca"] + Leaf.allCases.map(\.rawValue))
        #expect(records.filter { $0.takenUp == .rollout }.map(\.name) == ["apiserver-kubelet-client"])
        #expect(records.first?.renewal == nil && records.first?.takenUp == nil)
        #expect(records.last?.renewal.flatMap(Timestamp.parse) == keys.nextRenewal())
    }
}
