import Crypto
import CryptoExtras
import Foundation
import KubernetesAPI
import TestKubernetes

@testable import ControlPlane

/// An OpenID Connect issuer: what it publishes, and tokens of its own and of others.
struct Issuer: Sendable {
    let authority: CertificateAuthority
    /// Of its server, on loopback.
    let certificate: IssuedCertificate
    private let rsa: _RSA.Signing.PrivateKey
    private let ecdsa = P256.Signing.PrivateKey()

    init() throws {
        authority = try CertificateAuthority(commonName: "issuer-ca", lifetime: 3600, now: Date())
        certificate = try authority.issue(
            CertificateRequest(commonName: "issuer", ipAddresses: ["127.0.0.1"], usages: [.server], lifetime: 3600), now: Date())
        rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
    }

    static let path = "/realms/demo"

    /// Its discovery document and its keys; nothing else is there.
    func answer(_ request: StubServer.Request, at url: String) -> [StubServer.Step] {
        let document: JSONValue
        switch request.path {
        case "\(Self.path)/.well-known/openid-configuration":
            document = [
                "issuer": .string(url + Self.path), "jwks_uri": .string("\(url)\(Self.path)/keys"),
                "authorization_endpoint": .string("\(url)\(Self.path)/auth"), "token_endpoint": .string("\(url)\(Self.path)/token"),
                "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            ]
        case "\(Self.path)/keys":
            guard let keys = try? keys() else { return [.answer(500, "")] }
            document = ["keys": .array(keys)]
        default: return [.answer(404, "")]
        }
        return [.answer(200, headers: ["content-type": "application/json"], document.text)]
    }

    private func keys() throws -> [JSONValue] {
        let numbers = try rsa.publicKey.getKeyPrimitives()
        let point = ecdsa.publicKey.rawRepresentation
        return [
            [
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "rsa", "n": .string(Self.base64URL(numbers.modulus)),
                "e": .string(Self.base64URL(numbers.publicExponent)),
            ],
            [
                "kty": "EC", "use": "sig", "alg": "ES256", "kid": "ec", "crv": "P-256",
                "x": .string(Self.base64URL(point.prefix(32))), "y": .string(Self.base64URL(point.suffix(32))),
            ],
        ]
    }

    enum Signature {
        case rsa
        case ecdsa
        /// Of a key that is not the issuer's, under the name of one that is.
        case forged
    }

    func token(_ claims: JSONValue, signed signature: Signature = .rsa) throws -> String {
        let header: JSONValue =
            signature == .ecdsa ? ["alg": "ES256", "kid": "ec", "typ": "JWT"] : ["alg": "RS256", "kid": "rsa", "typ": "JWT"]
        let text = "\(Self.base64URL(Data(header.text.utf8))).\(Self.base64URL(Data(claims.text.utf8)))"
        let bytes: Data =
            switch signature {
            case .rsa: try rsa.signature(for: Data(text.utf8), padding: .insecurePKCS1v1_5).rawRepresentation
            case .ecdsa: try ecdsa.signature(for: Data(text.utf8)).rawRepresentation
            case .forged:
                try _RSA.Signing.PrivateKey(keySize: .bits2048).signature(for: Data(text.utf8), padding: .insecurePKCS1v1_5)
                    .rawRepresentation
            }
        return "\(text).\(Self.base64URL(bytes))"
    }

    private static func base64URL(_ bytes: some Sequence<UInt8>) -> String {
        Base64(bytes).encoded.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
