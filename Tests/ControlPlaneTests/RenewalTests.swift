import FoundationEssentials
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
        let authority = try good
        var facts = authority
        change(&facts)
        return Renewal.reason(for: facts, wanted: Self.wanted, authority: authority, now: Self.start.addingTimeInterval(seconds))
    }

    @Test func servesUntilTwoThirdsOfItsLife() throws {
        #expect(try reason() == nil)
        #expect(try reason(after: 599) == nil)
        #expect(try reason(after: 600) == .expiring(notAfter: Self.start.addingTimeInterval(900)))
        #expect(try reason(after: 5000) != nil)
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
}
