import ControlPlane
import Foundation
import KubernetesAPI
import NestboxAPI
import TestKubernetes
import Testing

@testable import Operator

extension TestEtcd {
    /// Turns users on: `root`, and those that are named, each with its share of the keys and nothing else. From then on the gateway takes
    /// no client's certificate any more.
    func turnOnUsers(_ shares: [String: String]) async throws {
        func ask(_ path: String, _ body: JSONValue) async throws {
            let answer = try await call(0, "auth/\(path)", body)
            try #require(answer.status == 200, "\(path): \(String(decoding: answer.body, as: UTF8.self))")
        }
        for name in ["root"] + shares.keys.sorted() {
            try await ask("user/add", ["name": .string(name), "options": ["no_password": true]])
        }
        try await ask("user/grant", ["user": "root", "role": "root"])
        for (name, share) in shares {
            try await ask("role/add", ["name": .string(name)])
            try await ask(
                "role/grant",
                [
                    "name": .string(name),
                    "perm": [
                        "permType": "READWRITE", "key": .string(Self.encoded(share)),
                        "range_end": .string(Self.encoded(String(share.dropLast()) + "0")),
                    ],
                ])
            try await ask("user/grant", ["user": .string(name), "role": .string(name)])
        }
        try await ask("enable", [:])
    }

    /// A Secret with what leads to it.
    nonisolated func secret(
        _ name: String, namespace: String, user: String = "operator", by signer: CertificateAuthority? = nil,
        trusting trusted: CertificateAuthority? = nil
    ) throws -> Secret {
        let certificate = try (signer ?? authority).issue(
            CertificateRequest(commonName: user, usages: [.client], lifetime: 3600 * 24), now: Date())
        return Secret(
            metadata: ObjectMeta(name: name, namespace: namespace), type: "Opaque",
            data: [
                "ca.crt": Base64(text: (trusted ?? authority).certificatePEM), "tls.crt": Base64(text: certificate.certificatePEM),
                "tls.key": Base64(text: certificate.keyPEM),
            ])
    }

    nonisolated func keys(user: String = "operator") throws -> ExternalEtcdKeys {
        try #require(ExternalEtcdKeys(try secret("shared", namespace: "shop", user: user)))
    }

    /// Who asks as that user.
    nonisolated func external(user: String = "operator") throws -> ExternalEtcdClient {
        ExternalEtcdClient(ExternalEtcdSpec(endpoints: [url(0)]), keys: try keys(user: user))
    }
}
