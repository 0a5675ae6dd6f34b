import FoundationEssentials
import SwiftASN1
import X509

/// What a kubelet asks for in a CertificateSigningRequest, read from its PKCS#10 body.
public struct NodeCertificateRequest: Sendable, Equatable {
    public var commonName: String
    public var organizations: [String]
    public var dnsNames: [String]
    public var ipAddresses: [String]
    /// Whether it names anything that no kubelet's request holds: another attribute, a mail address, a URI.
    public var hasOtherNames: Bool

    public init(
        commonName: String, organizations: [String], dnsNames: [String] = [], ipAddresses: [String] = [], hasOtherNames: Bool = false
    ) {
        self.commonName = commonName
        self.organizations = organizations
        self.dnsNames = dnsNames
        self.ipAddresses = ipAddresses
        self.hasOtherNames = hasOtherNames
    }

    /// Reads the request; its signature has to be by its own key.
    public init(requestPEM: String) throws(PKIError) {
        guard let document = try? PEMDocument(pemString: requestPEM),
            document.discriminator == "CERTIFICATE REQUEST" || document.discriminator == "NEW CERTIFICATE REQUEST",
            let request = try? CertificateSigningRequest(derEncoded: document.derBytes)
        else { throw PKIError("the certificate request is not PKCS#10 in PEM") }
        guard request.publicKey.isValidSignature(request.signature, for: request) else {
            throw PKIError("the certificate request is not signed by its own key")
        }
        let subject = SubjectNames(request.subject)
        let extensions = try? request.attributes.extensionRequest?.extensions
        let alternatives = AlternativeNames(try? extensions?.subjectAlternativeNames)
        commonName = subject.commonName
        organizations = subject.organizations
        dnsNames = alternatives.dnsNames
        ipAddresses = alternatives.ipAddresses
        hasOtherNames = subject.hasOthers || alternatives.hasOthers
    }
}
