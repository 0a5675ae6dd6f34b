import Crypto
import FoundationEssentials
import SwiftASN1
import X509

/// A certificate authority: a self-signed ECDSA P-256 certificate with its key.
public struct CertificateAuthority: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public var certificatePEM: String
    public var keyPEM: String

    /// One that exists already.
    public init(certificatePEM: String, keyPEM: String) {
        self.certificatePEM = certificatePEM
        self.keyPEM = keyPEM
    }

    /// A new one, self-signed.
    public init(commonName: String, lifetime: TimeInterval, now: Date) throws(PKIError) {
        let key = P256.Signing.PrivateKey()
        let signer = Certificate.PrivateKey(key)
        let subject = Self.distinguishedName(commonName: commonName, organizations: [])
        do {
            let certificate = try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: signer.publicKey,
                notValidBefore: now.addingTimeInterval(-Self.clockAllowance), notValidAfter: now.addingTimeInterval(lifetime),
                issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                    Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                    SubjectKeyIdentifier(hash: signer.publicKey)
                },
                issuerPrivateKey: signer)
            self.init(certificatePEM: try PEM.text(certificate), keyPEM: PEM.text(key))
        } catch let error as PKIError {
            throw error
        } catch {
            throw PKIError("the certificate authority \"\(commonName)\" could not be made: \(error)")
        }
    }

    /// A certificate with a new key, signed by this authority. It never outlives the authority.
    public func issue(_ request: CertificateRequest, now: Date) throws(PKIError) -> IssuedCertificate {
        let key = P256.Signing.PrivateKey()
        let certificate = try sign(request, publicKey: Certificate.PublicKey(key.publicKey), now: now)
        return IssuedCertificate(certificatePEM: try PEM.text(certificate), keyPEM: PEM.text(key))
    }

    private func sign(_ request: CertificateRequest, publicKey: Certificate.PublicKey, now: Date) throws(PKIError) -> Certificate {
        let authority = try PEM.certificate(certificatePEM, what: "the authority's certificate")
        let authorityKey = try PEM.privateKey(keyPEM, what: "the authority's key")
        let signer = Certificate.PrivateKey(authorityKey)
        guard signer.publicKey == authority.publicKey else {
            throw PKIError("the key of the authority \(authority.subject) is not that of its certificate")
        }
        let notAfter = min(now.addingTimeInterval(request.lifetime), authority.notValidAfter)
        guard notAfter > now else {
            throw PKIError("the authority \(authority.subject) expired at \(authority.notValidAfter): it has to be replaced first")
        }
        let names = try Self.generalNames(of: request)
        do {
            return try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
                notValidBefore: max(now.addingTimeInterval(-Self.clockAllowance), authority.notValidBefore), notValidAfter: notAfter,
                issuer: authority.subject,
                subject: Self.distinguishedName(commonName: request.commonName, organizations: request.organizations),
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    try ExtendedKeyUsage(
                        CertificateRequest.Usage.allCases.filter(request.usages.contains).map { $0 == .server ? .serverAuth : .clientAuth })
                    SubjectKeyIdentifier(hash: publicKey)
                    AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: authority.publicKey).keyIdentifier)
                    if !names.isEmpty {
                        SubjectAlternativeNames(names)
                    }
                },
                issuerPrivateKey: signer)
        } catch {
            throw PKIError("the certificate of \"\(request.commonName)\" could not be signed: \(error)")
        }
    }

    public var description: String { "a certificate authority" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// How far a reader's clock may be behind.
    private static let clockAllowance: TimeInterval = 300

    /// Groups one a relative name, as Go's crypto/x509 reads them; sorted, so that a request has one encoding.
    private static func distinguishedName(commonName: String, organizations: [String]) -> DistinguishedName {
        let groups = organizations.sorted().map {
            RelativeDistinguishedName(.init(type: .RDNAttributeType.organizationName, utf8String: $0))
        }
        return DistinguishedName(
            groups + [RelativeDistinguishedName(.init(type: .RDNAttributeType.commonName, utf8String: commonName))])
    }

    private static func generalNames(of request: CertificateRequest) throws(PKIError) -> [GeneralName] {
        var names = request.dnsNames.map { GeneralName.dnsName($0) }
        for address in request.ipAddresses {
            guard let bytes = IPAddressBytes.parse(address) else {
                throw PKIError("the certificate of \"\(request.commonName)\" cannot name \"\(address)\": it is not an IP address")
            }
            names.append(.ipAddress(ASN1OctetString(contentBytes: bytes[...])))
        }
        return names
    }
}
