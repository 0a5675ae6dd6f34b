import Crypto
import Foundation
import SwiftASN1
import Tunnel
import X509

/// A cluster's CA and the certificates that a test needs, as files in a directory of the test's own.
package struct TestPKI {
    struct NoCertificate: Error {
        var path: String
    }

    package let directory: String
    private let authorityKey = P256.Signing.PrivateKey()
    private let authorityName: DistinguishedName
    package let authority: Certificate

    package init(directory: String) throws {
        self.directory = directory
        authorityName = try DistinguishedName { CommonName("test-ca") }
        authority = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(authorityKey.publicKey), notValidBefore: Date(timeIntervalSinceNow: -600),
            notValidAfter: Date(timeIntervalSinceNow: 3600), issuer: authorityName, subject: authorityName,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(keyCertSign: true))
            },
            issuerPrivateKey: .init(authorityKey))
        try write("ca.crt", authority.serializeAsPEM().pemString)
    }

    package var authorityPath: String { directory + "/ca.crt" }

    package func write(_ name: String, _ text: String) throws {
        try SmallFile.replace(directory + "/" + name, with: text)
    }

    /// The certificate of a file, DER.
    package func certificate(_ path: String) throws -> [UInt8] {
        let text = try SmallFile.text(path)
        let end = "-----END CERTIFICATE-----"
        guard let pem = text.range(of: end)?.upperBound else { throw NoCertificate(path: path) }
        return try Certificate(pemEncoded: String(text[..<pem])).serializeAsPEM().derBytes
    }

    /// The tunnel server's files, or another server's.
    package func server(
        name: String = "nestbox-tunnel", file: String = "server", dnsNames: [String] = [], address: String? = nil
    ) throws -> TLSFiles {
        var names = ([name] + dnsNames).map { GeneralName.dnsName($0) }
        if let address {
            names.append(.ipAddress(ASN1OctetString(contentBytes: address.split(separator: ".").compactMap { UInt8($0) }[...])))
        }
        let (certificate, key) = try issue(
            subject: DistinguishedName { CommonName(name) }, usages: [.serverAuth, .clientAuth], names: names)
        try write("\(file).crt", certificate)
        try write("\(file).key", key)
        return TLSFiles(certificate: directory + "/\(file).crt", key: directory + "/\(file).key", authority: authorityPath)
    }

    /// A kubelet's certificate and key in one file, as the kubelet keeps them; returns the agent's files.
    @discardableResult
    package func node(
        _ node: String, group: String = "system:nodes", notBefore: Date = Date(timeIntervalSinceNow: -60), file: String? = nil
    ) throws -> TLSFiles {
        let subject = try DistinguishedName {
            OrganizationName(group)
            CommonName("system:node:\(node)")
        }
        let (certificate, key) = try issue(subject: subject, usages: [.clientAuth], notBefore: notBefore)
        let name = file ?? "\(node).pem"
        try write(name, certificate + key)
        return TLSFiles(certificate: directory + "/" + name, key: directory + "/" + name, authority: authorityPath)
    }

    private func issue(
        subject: DistinguishedName, usages: [ExtendedKeyUsage.Usage], names: [GeneralName] = [],
        notBefore: Date = Date(timeIntervalSinceNow: -60)
    ) throws -> (certificate: String, key: String) {
        let key = P256.Signing.PrivateKey()
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey), notValidBefore: notBefore,
            notValidAfter: Date(timeIntervalSinceNow: 3000), issuer: authorityName, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage(usages)
                SubjectAlternativeNames(names)
            },
            issuerPrivateKey: .init(authorityKey))
        return (try certificate.serializeAsPEM().pemString + "\n", key.pemRepresentation + "\n")
    }
}
