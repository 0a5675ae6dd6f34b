/// How to reach one API server, and as whom.
public struct ClientConfiguration: Sendable {
    /// The server's URL.
    public var server: String
    /// PEM; the system's roots without it.
    public var certificateAuthority: String?
    public var skipsServerVerification = false
    /// The name the server's certificate is checked against, when it is not the one in the URL.
    public var tlsServerName: String?
    /// `http://host:port` of an HTTP CONNECT proxy.
    public var proxy: String?
    public var identity: ClientIdentity
    /// The namespace of the kubeconfig's context, or of the pod.
    public var defaultNamespace: String?
    public var timeouts = ClientTimeouts()

    public init(
        server: String, certificateAuthority: String?, clientCertificate: String?, clientKey: String?, token: String?,
        tlsServerName: String? = nil
    ) {
        self.server = server
        self.certificateAuthority = certificateAuthority
        self.tlsServerName = tlsServerName
        var identity = ClientIdentity()
        if let clientCertificate, let clientKey {
            identity.certificate = .pem(certificate: clientCertificate, key: clientKey)
        }
        identity.token = token.map { .fixed($0) }
        self.identity = identity
    }

    init(server: String, identity: ClientIdentity) {
        self.server = server
        self.identity = identity
    }
}

/// What a client proves itself with. Several may be set; the server takes what it knows.
///
/// Descriptions of it show no secret.
public struct ClientIdentity: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    public enum Certificate: Sendable, Equatable {
        case pem(certificate: String, key: String)
        /// Read again when they change: kubelets and mounted Secrets rotate them.
        case files(certificate: String, key: String)
    }

    public enum Token: Sendable, Equatable {
        case fixed(String)
        /// Read again before it can have expired: service-account tokens rotate in place.
        case file(String)
        case basic(user: String, password: String)
    }

    public var certificate: Certificate?
    public var token: Token?
    public var plugin: ExecCredentialPlugin?

    public init(certificate: Certificate? = nil, token: Token? = nil, plugin: ExecCredentialPlugin? = nil) {
        self.certificate = certificate
        self.token = token
        self.plugin = plugin
    }

    public var description: String {
        let parts = [
            certificate == nil ? nil : "client certificate", token == nil ? nil : "token", plugin.map { "plugin \($0.command)" },
        ]
        return parts.compactMap { $0 }.joined(separator: ", ")
    }

    public var debugDescription: String { description }
}

/// How long the client waits for what.
public struct ClientTimeouts: Sendable, Equatable {
    /// TCP and TLS.
    public var connect: Duration = .seconds(10)
    /// One attempt at a request, its answer's body included. Watches have none.
    public var request: Duration = .seconds(60)
    /// A watch ends by itself after a random time in this range, so that many of them do not come back at once.
    public var watch: ClosedRange<Int> = 240...600
    /// A watch on which nothing arrives for this long is taken for dead. It has to exceed `watch`: a quiet one sends nothing.
    public var watchSilence: Duration = .seconds(630)
    /// On HTTP/2, how often the server is asked whether it is still there.
    public var pingInterval: Duration = .seconds(30)
    /// On HTTP/2, how long it may take to say so before the connection is closed.
    public var pingTimeout: Duration = .seconds(15)

    public init() {}
}
