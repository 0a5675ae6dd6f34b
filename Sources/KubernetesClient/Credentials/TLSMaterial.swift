import NIOSSL

/// Turns PEM text into what NIOSSL takes.
enum TLSMaterial {
    static func base(for configuration: ClientConfiguration) throws -> TLSConfiguration? {
        guard configuration.server.hasPrefix("https://") else { return nil }
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if configuration.skipsServerVerification {
            tls.certificateVerification = .none
        } else if let authority = configuration.certificateAuthority {
            let roots = try parse("the certificate authority") { try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)) }
            tls.trustRoots = .certificates(roots)
        }
        return tls
    }

    static func install(certificate: String, key: String, into tls: inout TLSConfiguration) throws {
        let chain = try parse("the client certificate") { try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)) }
        let privateKey = try parse("the client key") {
            try NIOSSLPrivateKey(bytes: Array(privateKeyBlock(in: key).utf8), format: .pem)
        }
        tls.certificateChain = chain.map { .certificate($0) }
        tls.privateKey = .privateKey(privateKey)
    }

    /// The key alone: openssl writes an `EC PARAMETERS` block before it, and kubelets keep certificate and key in one file.
    static func privateKeyBlock(in pem: String) -> String {
        var block: [Substring] = []
        for line in pem.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("-----BEGIN "), line.contains("PRIVATE KEY-----") {
                block = [line]
            } else if !block.isEmpty {
                block.append(line)
                if line.hasPrefix("-----END ") { return block.joined(separator: "\n") + "\n" }
            }
        }
        return pem
    }

    /// NIOSSL's errors may quote what they parsed; the key must not be in ours.
    private static func parse<Value>(_ what: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw KubernetesError(code: .configuration, verb: "use", object: what, detail: "it is not valid PEM")
        }
    }
}
