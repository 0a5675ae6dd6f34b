import Crypto
import FoundationEssentials
import HexDigest
import SwiftASN1
import X509

/// What a certificate says, read from its PEM.
public struct CertificateFacts: Sendable, Equatable {
    public var commonName: String
    public var organizations: [String]
    public var dnsNames: [String]
    public var ipAddresses: [String]
    public var usages: Set<CertificateRequest.Usage>
    public var notBefore: Date
    public var notAfter: Date
    /// The signer's key id, hexadecimal.
    public var authorityKeyID: String?
    public var keyID: String?
    /// SHA-256 of the subject public key info, `sha256:<hex>`: how kubeadm pins an authority.
    public var fingerprint: String

    public init(certificatePEM: String) throws(PKIError) {
        let certificate = try PEM.certificate(certificatePEM, what: "the certificate")
        let names = SubjectNames(certificate.subject)
        commonName = names.commonName
        organizations = names.organizations
        do {
            let alternatives = AlternativeNames(try certificate.extensions.subjectAlternativeNames)
            dnsNames = alternatives.dnsNames
            ipAddresses = alternatives.ipAddresses
            usages = Set(
                (try certificate.extensions.extendedKeyUsage.map(Array.init) ?? []).compactMap {
                    $0 == .serverAuth ? .server : $0 == .clientAuth ? .client : nil
                })
            authorityKeyID = try certificate.extensions.authorityKeyIdentifier?.keyIdentifier.map(hexadecimal)
            keyID = try certificate.extensions.subjectKeyIdentifier.map { hexadecimal($0.keyIdentifier) }
        } catch {
            throw PKIError("the extensions of the certificate of \(certificate.subject) cannot be read: \(error)")
        }
        notBefore = certificate.notValidBefore
        notAfter = certificate.notValidAfter
        // The whole SubjectPublicKeyInfo: what X509 calls `subjectPublicKeyInfoBytes` is only the key's bits.
        guard let publicKey = try? certificate.publicKey.serializeAsPEM().derBytes else {
            throw PKIError("the public key of \(certificate.subject) cannot be written")
        }
        fingerprint = "sha256:" + hexadecimal(SHA256.hash(data: publicKey))
    }
}

extension CertificateAuthority {
    /// SHA-256 of the subject public key info, `sha256:<hex>`.
    public func fingerprint() throws(PKIError) -> String { try CertificateFacts(certificatePEM: certificatePEM).fingerprint }
}
