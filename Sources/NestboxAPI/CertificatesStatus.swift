/// The certificates that a control plane runs on, as they are: it changes only when one of them does.
public struct CertificatesStatus: Codable, Sendable, Equatable {
    /// When the first of them ends that is renewed by itself, were it not renewed; RFC 3339.
    public var nextExpiry: String?
    /// When the first of them will be renewed.
    public var nextRenewal: String?
    /// When the first of the authorities ends; nothing is signed after it.
    public var authorityExpiry: String?
    public var items: [CertificateStatus]?
    /// What came of the last request to renew some.
    public var renewal: CertificateRenewal?

    public init(
        nextExpiry: String? = nil, nextRenewal: String? = nil, authorityExpiry: String? = nil, items: [CertificateStatus]? = nil,
        renewal: CertificateRenewal? = nil
    ) {
        self.nextExpiry = nextExpiry
        self.nextRenewal = nextRenewal
        self.authorityExpiry = authorityExpiry
        self.items = items
        self.renewal = renewal
    }
}

public struct CertificateStatus: Codable, Sendable, Equatable {
    /// `apiserver`, `etcd-ca`, `kubeconfig`.
    public var name: String
    public var kind: CertificateKind
    /// RFC 3339.
    public var notBefore: String
    public var notAfter: String
    /// When it is renewed; none for one that lasts as long as its authority, or is one.
    public var renewal: String?
    /// How what runs with it comes to use a new one.
    public var takenUp: CertificateUptake?

    public init(
        name: String, kind: CertificateKind, notBefore: String, notAfter: String, renewal: String? = nil, takenUp: CertificateUptake? = nil
    ) {
        self.name = name
        self.kind = kind
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.renewal = renewal
        self.takenUp = takenUp
    }
}

public enum CertificateKind: String, Codable, Sendable, CaseIterable {
    case authority = "Authority"
    case leaf = "Leaf"
    case kubeconfig = "Kubeconfig"
}

public enum CertificateUptake: String, Codable, Sendable, CaseIterable {
    /// Its holder reads it again by itself.
    case reload = "Reload"
    /// The control plane's pods are rolled.
    case rollout = "Rollout"
    /// Whoever uses it downloads it again.
    case download = "Download"
}

/// What came of a request.
public struct CertificateRenewal: Codable, Sendable, Equatable {
    /// The request's.
    public var id: String
    public var state: CertificateRenewalState
    /// In a sentence.
    public var message: String?
    /// RFC 3339: since when the new ones are there.
    public var issuedAt: String?

    public init(id: String, state: CertificateRenewalState, message: String? = nil, issuedAt: String? = nil) {
        self.id = id
        self.state = state
        self.message = message
        self.issuedAt = issuedAt
    }
}

public enum CertificateRenewalState: String, Codable, Sendable, CaseIterable {
    /// They are there; the pods that have to be rolled for them are being rolled.
    case issued = "Issued"
    case completed = "Completed"
    /// Nothing was renewed.
    case refused = "Refused"
}
