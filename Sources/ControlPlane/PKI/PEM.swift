import Crypto
import FoundationEssentials
import SwiftASN1
import X509

/// PEM in and out, in the forms that Go's crypto/tls and client-go take.
enum PEM {
    /// The first certificate of a PEM text.
    static func certificate(_ text: String, what: String) throws(PKIError) -> Certificate {
        let documents = try parse(text, what: what)
        guard let document = documents.first(where: { $0.discriminator == "CERTIFICATE" }) else {
            throw PKIError("\(what) holds no CERTIFICATE block")
        }
        do {
            return try Certificate(pemDocument: document)
        } catch {
            throw PKIError("\(what) cannot be read: \(error)")
        }
    }

    /// The first private key of a PEM text, PKCS#8 or SEC1. openssl writes an `EC PARAMETERS` block before a SEC1 key: it is skipped.
    /// Errors of the parser are not repeated, as they might quote the key.
    static func privateKey(_ text: String, what: String) throws(PKIError) -> P256.Signing.PrivateKey {
        let documents = try parse(text, what: what)
        guard let document = documents.first(where: { $0.discriminator.hasSuffix("PRIVATE KEY") }) else {
            throw PKIError("\(what) holds no PRIVATE KEY block")
        }
        guard let key = try? P256.Signing.PrivateKey(pemRepresentation: document.pemString) else {
            throw PKIError("\(what) is a \(document.discriminator) that is not an ECDSA P-256 key")
        }
        return key
    }

    static func text(_ certificate: Certificate) throws(PKIError) -> String {
        do {
            return try certificate.serializeAsPEM().pemString + "\n"
        } catch {
            throw PKIError("a certificate could not be written: \(error)")
        }
    }

    /// PKCS#8.
    static func text(_ key: P256.Signing.PrivateKey) -> String { key.pemRepresentation + "\n" }

    /// PKIX, `PUBLIC KEY`.
    static func text(_ key: P256.Signing.PublicKey) -> String { key.pemRepresentation + "\n" }

    private static func parse(_ text: String, what: String) throws(PKIError) -> [PEMDocument] {
        guard let documents = try? PEMDocument.parseMultiple(pemString: text) else {
            throw PKIError("\(what) is not PEM")
        }
        return documents
    }
}
