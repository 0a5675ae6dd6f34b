import FoundationEssentials
import KubernetesAPI

extension ClientConfiguration {
    /// Reads one kubeconfig file; relative paths in it are relative to it.
    public static func kubeconfig(path: String, context: String? = nil) throws -> ClientConfiguration {
        try KubeconfigFile(path: path).configuration(context: context)
    }

    /// Reads a kubeconfig's text; relative paths in it are relative to the working directory.
    public static func kubeconfig(text: String, context: String? = nil) throws -> ClientConfiguration {
        try KubeconfigFile(kubeconfig: Kubeconfig(text: text), directory: "", origin: "the kubeconfig").configuration(context: context)
    }

    /// kubectl's order: the explicit path, `KUBECONFIG`, `~/.kube/config`, in-cluster.
    public static func load(kubeconfig: String? = nil, context: String? = nil) throws -> ClientConfiguration {
        try load(kubeconfig: kubeconfig, context: context, environment: ProcessInfo.processInfo.environment)
    }

    static func load(
        kubeconfig: String?, context: String?, environment: [String: String],
        serviceAccount: String = inClusterDirectory
    ) throws -> ClientConfiguration {
        if let kubeconfig, !kubeconfig.isEmpty { return try .kubeconfig(path: kubeconfig, context: context) }
        let named = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
        if !named.isEmpty {
            // kubectl passes over the files of the list that do not exist, as long as there is one that does.
            let files = try named.filter { FileManager.default.fileExists(atPath: $0) }.map { try KubeconfigFile(path: $0) }
            guard let first = files.first else {
                throw unusable("KUBECONFIG names \(named.joined(separator: ", ")), and there is no such file")
            }
            let merged = files.dropFirst().reduce(first) { $0.merged(with: $1) }
            return try merged.configuration(context: context)
        }
        if let home = environment["HOME"], FileManager.default.fileExists(atPath: "\(home)/.kube/config") {
            return try .kubeconfig(path: "\(home)/.kube/config", context: context)
        }
        if environment["KUBERNETES_SERVICE_HOST"] != nil {
            return try .inCluster(environment: environment, directory: serviceAccount)
        }
        throw unusable("no cluster is named: give --kubeconfig FILE, set KUBECONFIG, or write ~/.kube/config")
    }

    static func unusable(_ detail: String) -> KubernetesError {
        KubernetesError(code: .configuration, verb: "choose a cluster", object: "", detail: detail)
    }
}

/// A kubeconfig with what is needed to resolve the paths in it.
struct KubeconfigFile {
    var kubeconfig: Kubeconfig
    /// What relative paths start from.
    var directory: String
    /// How errors call it.
    var origin: String

    init(kubeconfig: Kubeconfig, directory: String, origin: String) {
        self.kubeconfig = kubeconfig
        self.directory = directory
        self.origin = origin
    }

    init(path: String) throws {
        guard let bytes = FileManager.default.contents(atPath: path), let text = String(validating: bytes, as: UTF8.self) else {
            throw ClientConfiguration.unusable("the kubeconfig \(path) is missing or cannot be read")
        }
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        do {
            self.init(kubeconfig: try Kubeconfig(text: text), directory: directory, origin: path)
        } catch let error as KubernetesError {
            throw ClientConfiguration.unusable("the kubeconfig \(path) cannot be used: \(error.detail ?? "")")
        }
    }

    /// Both files' entries, with paths made absolute first since each file has its own directory.
    func merged(with other: KubeconfigFile) -> KubeconfigFile {
        var result = KubeconfigFile(kubeconfig: resolved(), directory: "", origin: "\(origin), \(other.origin)")
        result.kubeconfig.merge(other.resolved())
        return result
    }

    func configuration(context wanted: String?) throws -> ClientConfiguration {
        let config = resolved()
        let contextName = wanted ?? config.currentContext ?? ""
        guard !contextName.isEmpty else {
            throw ClientConfiguration.unusable("\(origin) has no current-context: name one with --context")
        }
        guard let context = config.contexts?.first(where: { $0.name == contextName })?.context else {
            let known = (config.contexts ?? []).map(\.name).joined(separator: ", ")
            throw ClientConfiguration.unusable("\(origin) has no context \(contextName); it has: \(known.isEmpty ? "none" : known)")
        }
        guard let cluster = config.clusters?.first(where: { $0.name == context.cluster })?.cluster, let server = cluster.server else {
            throw ClientConfiguration.unusable(
                "\(origin): context \(contextName) is of cluster \(context.cluster ?? "\"\""), which has no server there")
        }
        var identity = ClientIdentity()
        if let user = context.user, !user.isEmpty {
            guard let entry = config.users?.first(where: { $0.name == user })?.user else {
                throw ClientConfiguration.unusable("\(origin): context \(contextName) is of user \(user), who is not in it")
            }
            identity = try self.identity(of: entry, named: user, cluster: cluster)
        }
        var result = ClientConfiguration(server: server, identity: identity)
        result.certificateAuthority = try certificateAuthority(of: cluster)
        result.skipsServerVerification = cluster.insecureSkipTLSVerify ?? false
        result.tlsServerName = cluster.tlsServerName
        result.proxy = cluster.proxyURL
        result.defaultNamespace = context.namespace
        return result
    }

    private func certificateAuthority(of cluster: Kubeconfig.Cluster) throws -> String? {
        if let data = cluster.certificateAuthorityData, !data.isEmpty {
            return try Self.decoded(data, "certificate-authority-data", origin)
        }
        guard let path = cluster.certificateAuthority, !path.isEmpty else { return nil }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw ClientConfiguration.unusable("\(origin): its certificate-authority \(path) is missing or cannot be read")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func identity(of user: Kubeconfig.User, named name: String, cluster: Kubeconfig.Cluster) throws -> ClientIdentity {
        var identity = ClientIdentity()
        if let certificate = user.clientCertificateData, let key = user.clientKeyData {
            identity.certificate = .pem(
                certificate: try Self.decoded(certificate, "client-certificate-data", origin),
                key: try Self.decoded(key, "client-key-data", origin))
        } else if let certificate = user.clientCertificate, let key = user.clientKey {
            identity.certificate = .files(certificate: certificate, key: key)
        } else if user.clientCertificate != nil || user.clientCertificateData != nil || user.clientKey != nil || user.clientKeyData != nil {
            throw ClientConfiguration.unusable("\(origin): user \(name) has a client certificate or its key, but not both of one kind")
        }
        // As in kubectl, tokenFile goes before token.
        if let file = user.tokenFile, !file.isEmpty {
            identity.token = .file(file)
        } else if let token = user.token, !token.isEmpty {
            identity.token = .fixed(token)
        } else if let username = user.username, let password = user.password {
            identity.token = .basic(user: username, password: password)
        }
        if let exec = user.exec { identity.plugin = ExecCredentialPlugin(exec, cluster: cluster, directory: directory) }
        return identity
    }

    /// The kubeconfig with all its paths absolute (or as given, when the kubeconfig has no directory).
    private func resolved() -> Kubeconfig {
        func absolute(_ path: String?) -> String? {
            guard let path, !path.isEmpty, !path.hasPrefix("/"), !directory.isEmpty else { return path }
            return "\(directory)/\(path)"
        }
        var result = kubeconfig
        result.clusters = result.clusters?.map {
            var entry = $0
            entry.cluster.certificateAuthority = absolute(entry.cluster.certificateAuthority)
            return entry
        }
        result.users = result.users?.map {
            var entry = $0
            entry.user.clientCertificate = absolute(entry.user.clientCertificate)
            entry.user.clientKey = absolute(entry.user.clientKey)
            entry.user.tokenFile = absolute(entry.user.tokenFile)
            if let command = entry.user.exec?.command, command.contains("/") { entry.user.exec?.command = absolute(command) ?? command }
            return entry
        }
        return result
    }

    private static func decoded(_ base64: String, _ field: String, _ origin: String) throws -> String {
        guard let bytes = Data(base64Encoded: base64, options: .ignoreUnknownCharacters), !bytes.isEmpty else {
            throw ClientConfiguration.unusable("\(origin): its \(field) is not base64")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
