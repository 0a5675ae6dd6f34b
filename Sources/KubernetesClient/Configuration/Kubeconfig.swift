import Yams

/// A kubeconfig file, as kubectl reads and writes it.
public struct Kubeconfig: Codable, Sendable, Equatable {
    public var apiVersion: String? = "v1"
    public var kind: String? = "Config"
    public var currentContext: String?
    public var clusters: [NamedCluster]?
    public var contexts: [NamedContext]?
    public var users: [NamedUser]?

    enum CodingKeys: String, CodingKey {
        case apiVersion, kind, clusters, contexts, users
        case currentContext = "current-context"
    }

    public init(
        currentContext: String? = nil, clusters: [NamedCluster]? = nil, contexts: [NamedContext]? = nil, users: [NamedUser]? = nil
    ) {
        self.currentContext = currentContext
        self.clusters = clusters
        self.contexts = contexts
        self.users = users
    }

    /// Reads YAML or JSON.
    public init(text: String) throws {
        do {
            self = try YAMLDecoder().decode(Kubeconfig.self, from: text)
        } catch {
            throw KubernetesError(
                code: .configuration, verb: "read", object: "kubeconfig", detail: "it is not a kubeconfig: \(Self.outline(error))")
        }
    }

    /// The file's text, ready to be written.
    public func yaml() throws -> String { try YAMLEncoder().encode(self) }

    /// Where the decoding stopped, without the text: that may hold keys and tokens.
    private static func outline(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "malformed YAML" }
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? "unexpected value" : "unexpected value at \(path)"
        default: return "malformed YAML"
        }
    }

    /// Adds what `other` names and this does not: of several files, the first to name something wins.
    public mutating func merge(_ other: Kubeconfig) {
        currentContext = (currentContext?.isEmpty ?? true) ? other.currentContext : currentContext
        clusters = Self.union(clusters, other.clusters, by: \.name)
        contexts = Self.union(contexts, other.contexts, by: \.name)
        users = Self.union(users, other.users, by: \.name)
    }

    private static func union<Item>(_ first: [Item]?, _ second: [Item]?, by name: (Item) -> String) -> [Item]? {
        let known = Set((first ?? []).map(name))
        return (first ?? []) + (second ?? []).filter { !known.contains(name($0)) }
    }

    public struct NamedCluster: Codable, Sendable, Equatable {
        public var name: String
        public var cluster: Cluster

        public init(name: String, cluster: Cluster) {
            self.name = name
            self.cluster = cluster
        }
    }

    public struct Cluster: Codable, Sendable, Equatable {
        public var server: String?
        public var certificateAuthority: String?
        /// Base64 of PEM.
        public var certificateAuthorityData: String?
        public var insecureSkipTLSVerify: Bool?
        public var tlsServerName: String?
        public var proxyURL: String?

        enum CodingKeys: String, CodingKey {
            case server
            case certificateAuthority = "certificate-authority"
            case certificateAuthorityData = "certificate-authority-data"
            case insecureSkipTLSVerify = "insecure-skip-tls-verify"
            case tlsServerName = "tls-server-name"
            case proxyURL = "proxy-url"
        }

        public init(server: String? = nil, certificateAuthorityData: String? = nil) {
            self.server = server
            self.certificateAuthorityData = certificateAuthorityData
        }
    }

    public struct NamedContext: Codable, Sendable, Equatable {
        public var name: String
        public var context: Context

        public init(name: String, context: Context) {
            self.name = name
            self.context = context
        }
    }

    public struct Context: Codable, Sendable, Equatable {
        public var cluster: String?
        public var user: String?
        public var namespace: String?

        public init(cluster: String? = nil, user: String? = nil, namespace: String? = nil) {
            self.cluster = cluster
            self.user = user
            self.namespace = namespace
        }
    }

    public struct NamedUser: Codable, Sendable, Equatable {
        public var name: String
        public var user: User

        public init(name: String, user: User) {
            self.name = name
            self.user = user
        }
    }

    public struct User: Codable, Sendable, Equatable {
        public var clientCertificate: String?
        /// Base64 of PEM.
        public var clientCertificateData: String?
        public var clientKey: String?
        /// Base64 of PEM.
        public var clientKeyData: String?
        public var token: String?
        public var tokenFile: String?
        public var username: String?
        public var password: String?
        public var exec: Exec?

        enum CodingKeys: String, CodingKey {
            case token, tokenFile, username, password, exec
            case clientCertificate = "client-certificate"
            case clientCertificateData = "client-certificate-data"
            case clientKey = "client-key"
            case clientKeyData = "client-key-data"
        }

        public init(clientCertificateData: String? = nil, clientKeyData: String? = nil, token: String? = nil) {
            self.clientCertificateData = clientCertificateData
            self.clientKeyData = clientKeyData
            self.token = token
        }
    }

    public struct Exec: Codable, Sendable, Equatable {
        public var apiVersion: String?
        public var command: String
        public var args: [String]?
        public var env: [Variable]?
        public var installHint: String?
        public var provideClusterInfo: Bool?
        public var interactiveMode: String?

        public struct Variable: Codable, Sendable, Equatable {
            public var name: String
            public var value: String
        }
    }
}
