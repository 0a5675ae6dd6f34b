import ControlPlane
import Foundation
import KubernetesAPI

/// What may be shown of a Secret: its name, its type, the names of its keys, and of certificates whose they are and how long they last.
enum SecretFacts {
    static func of(_ secret: JSONValue) -> JSONValue {
        var facts: [String: JSONValue] = ["kind": "Secret"]
        facts["apiVersion"] = secret["apiVersion"]
        facts["type"] = secret["type"]
        facts["metadata"] = secret["metadata"]
        facts["keys"] = .object((secret["data"]?.object ?? [:]).mapValues { key($0.string ?? "") })
        return .object(facts)
    }

    /// What a Secret holds, by key.
    static func values(of secret: JSONValue) -> [String: String] {
        (secret["data"]?.object ?? [:]).compactMapValues { value in
            value.string.flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    private static func key(_ base64: String) -> JSONValue {
        guard let data = Data(base64Encoded: base64) else { return ["bytes": 0] }
        var facts: [String: JSONValue] = ["bytes": .integer(data.count)]
        let certificates = certificates(in: String(decoding: data, as: UTF8.self))
        if !certificates.isEmpty { facts["certificates"] = .array(certificates) }
        return .object(facts)
    }

    private static let begin = "-----BEGIN CERTIFICATE-----"
    private static let end = "-----END CERTIFICATE-----"

    /// Those in it as they are, and those that a kubeconfig holds in Base64.
    private static func certificates(in text: String) -> [JSONValue] {
        let encoded = text.split { $0.isWhitespace || $0 == "\"" }.filter { $0.hasPrefix("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS") }
            .compactMap { Data(base64Encoded: String($0)) }.map { String(decoding: $0, as: UTF8.self) }
        return ([text] + encoded).flatMap { whole in
            whole.components(separatedBy: begin).dropFirst().prefix(8).compactMap { rest -> JSONValue? in
                guard let body = rest.range(of: end).map({ rest[..<$0.lowerBound] }) else { return nil }
                return facts(begin + body + end + "\n")
            }
        }
    }

    private static func facts(_ pem: String) -> JSONValue {
        guard let facts = try? CertificateFacts(certificatePEM: pem) else { return "it cannot be read" }
        func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
        func text(_ text: String?) -> JSONValue { text.map { JSONValue.string($0) } ?? .null }
        return [
            "commonName": .string(facts.commonName), "organizations": list(facts.organizations), "dnsNames": list(facts.dnsNames),
            "ipAddresses": list(facts.ipAddresses), "notBefore": .string(Timestamp.format(facts.notBefore)),
            "notAfter": .string(Timestamp.format(facts.notAfter)), "keyID": text(facts.keyID),
            "authorityKeyID": text(facts.authorityKeyID),
        ]
    }
}
