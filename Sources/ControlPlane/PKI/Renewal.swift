import FoundationEssentials

/// Why a certificate is to be made anew.
public enum RenewalReason: Sendable, Equatable, CustomStringConvertible {
    case missing
    case unreadable(String)
    /// Two thirds of its life are over.
    case expiring(notAfter: Date)
    /// Half of its life is over, and another is due that rolls the same pods: one rollout serves both.
    case besideAnother
    /// Somebody asked for it.
    case asked
    /// Another authority signs now.
    case otherAuthority
    /// It says something else than it should: a name was added, a group taken away.
    case changed(String)

    public var description: String {
        switch self {
        case .missing: "there is none"
        case .unreadable(let cause): "it cannot be read: \(cause)"
        case .expiring(let date): "it expires at \(date.formatted(.iso8601))"
        case .besideAnother: "another is renewed that rolls the same pods"
        case .asked: "somebody asked for it"
        case .otherAuthority: "it was signed by another authority"
        case .changed(let what): "its \(what) changed"
        }
    }
}

/// When to renew: a pure function of the certificate, of what it should say, of who signs and of the time.
public enum Renewal {
    /// Nil while the certificate serves.
    public static func reason(
        for certificate: IssuedCertificate?, wanted: CertificateRequest, authority: CertificateFacts, now: Date
    ) -> RenewalReason? {
        guard let certificate else { return .missing }
        let facts: CertificateFacts
        do throws(PKIError) {
            facts = try CertificateFacts(certificatePEM: certificate.certificatePEM)
        } catch {
            return .unreadable(error.description)
        }
        return reason(for: facts, wanted: wanted, authority: authority, now: now)
    }

    public static func reason(
        for facts: CertificateFacts, wanted: CertificateRequest, authority: CertificateFacts, now: Date
    ) -> RenewalReason? {
        if facts.authorityKeyID != authority.keyID { return .otherAuthority }
        if facts.commonName != wanted.commonName { return .changed("user") }
        if facts.organizations.sorted() != wanted.organizations.sorted() { return .changed("groups") }
        if Set(facts.dnsNames) != Set(wanted.dnsNames) || Set(facts.ipAddresses) != Set(wanted.ipAddresses) { return .changed("names") }
        if facts.usages != wanted.usages { return .changed("usages") }
        guard !isBound(facts, to: authority) else { return nil }
        return isDue(notBefore: facts.notBefore, notAfter: facts.notAfter, now: now) ? .expiring(notAfter: facts.notAfter) : nil
    }

    /// Whether it lasts as long as its authority. A new one would end with the same second: towards an authority's end certificates would
    /// be renewed faster and faster, each time with its rollout, and for nothing.
    public static func isBound(_ facts: CertificateFacts, to authority: CertificateFacts) -> Bool {
        facts.notAfter >= authority.notAfter.addingTimeInterval(-60)
    }

    /// When it will be made anew, as far as its time goes; nil when no time makes it so.
    public static func time(of facts: CertificateFacts, authority: CertificateFacts) -> Date? {
        isBound(facts, to: authority) ? nil : due(notBefore: facts.notBefore, notAfter: facts.notAfter)
    }

    /// Whether two thirds of the life are over.
    public static func isDue(notBefore: Date, notAfter: Date, now: Date) -> Bool { now >= due(notBefore: notBefore, notAfter: notAfter) }

    /// When two thirds of the life will be over: the next time to look.
    public static func due(notBefore: Date, notAfter: Date) -> Date {
        notBefore.addingTimeInterval(notAfter.timeIntervalSince(notBefore) * 2 / 3)
    }
}
