import FoundationEssentials

/// What a certificate is asked to say.
public struct CertificateRequest: Sendable, Equatable {
    public enum Usage: Sendable, Hashable, CaseIterable {
        case server
        case client
    }

    /// The user, for Kubernetes.
    public var commonName: String
    /// The groups, for Kubernetes.
    public var organizations: [String]
    public var dnsNames: [String]
    /// IPv4, in text.
    public var ipAddresses: [String]
    public var usages: Set<Usage>
    public var lifetime: TimeInterval

    public init(
        commonName: String, organizations: [String] = [], dnsNames: [String] = [], ipAddresses: [String] = [], usages: Set<Usage>,
        lifetime: TimeInterval
    ) {
        self.commonName = commonName
        self.organizations = organizations
        self.dnsNames = dnsNames
        self.ipAddresses = ipAddresses
        self.usages = usages
        self.lifetime = lifetime
    }
}

/// A certificate and its key, PEM: `CERTIFICATE` and PKCS#8 `PRIVATE KEY`, both as Go reads them.
///
/// The key never prints.
public struct IssuedCertificate: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public var certificatePEM: String
    public var keyPEM: String

    public init(certificatePEM: String, keyPEM: String) {
        self.certificatePEM = certificatePEM
        self.keyPEM = keyPEM
    }

    public var description: String { "a certificate and its key" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why a certificate or key could not be used or made.
public struct PKIError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
