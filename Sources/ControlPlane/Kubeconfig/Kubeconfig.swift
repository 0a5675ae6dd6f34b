import KubernetesAPI

/// kubeconfig files, in the order and form in which kubectl writes them.
public enum Kubeconfig {
    public enum Credential: Sendable {
        case certificate(IssuedCertificate)
        case token(String)
    }

    /// For use anywhere: everything inline.
    ///
    /// - Parameters:
    ///   - name: of cluster and context, as kubectl shows them.
    ///   - server: `https://host:port`.
    ///   - tlsServerName: the name to verify, where `server` is an address that the certificate does not hold.
    public static func inline(
        name: String, server: String, certificateAuthority: String, user: String, credential: Credential, tlsServerName: String? = nil
    ) -> String {
        var cluster = [("certificate-authority-data", Base64(text: certificateAuthority).encoded), ("server", server)]
        if let tlsServerName { cluster.append(("tls-server-name", tlsServerName)) }
        let credentials: [(String, String)]
        switch credential {
        case .certificate(let issued):
            credentials = [
                ("client-certificate-data", Base64(text: issued.certificatePEM).encoded),
                ("client-key-data", Base64(text: issued.keyPEM).encoded),
            ]
        case .token(let token): credentials = [("token", token)]
        }
        return render(name: name, cluster: cluster, user: user, credentials: credentials)
    }

    /// For a container of the control-plane pod: the API server on loopback, credentials in files beside it, which client-go rereads.
    static func inPod(directory: String) -> String {
        render(
            name: "local",
            cluster: [("certificate-authority", "\(directory)/ca.crt"), ("server", "https://127.0.0.1:\(NestboxPort.api)")],
            user: "client", credentials: [("client-certificate", "\(directory)/client.crt"), ("client-key", "\(directory)/client.key")])
    }

    /// `cluster-info` of kube-public: a cluster without a name and nobody.
    static func clusterInfo(server: String, certificateAuthority: String) -> String {
        """
        apiVersion: v1
        kind: Config
        clusters:
        - cluster:
            certificate-authority-data: \(Base64(text: certificateAuthority).encoded)
            server: \(quoted(server))
          name: ""
        contexts: null
        current-context: ""
        preferences: {}
        users: null

        """
    }

    private static func render(
        name: String, cluster: [(String, String)], user: String, credentials: [(String, String)]
    ) -> String {
        func lines(_ pairs: [(String, String)]) -> String {
            pairs.map { "    \($0.0): \(quoted($0.1))" }.joined(separator: "\n")
        }
        return """
            apiVersion: v1
            kind: Config
            clusters:
            - cluster:
            \(lines(cluster))
              name: \(quoted(name))
            contexts:
            - context:
                cluster: \(quoted(name))
                user: \(quoted(user))
              name: \(quoted(name))
            current-context: \(quoted(name))
            users:
            - name: \(quoted(user))
              user:
            \(lines(credentials))

            """
    }

    /// A JSON string is a YAML scalar, whatever it holds; base64 needs no quotes.
    private static func quoted(_ text: String) -> String {
        JSONValue.string(text).text
    }
}
