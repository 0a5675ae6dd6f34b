import FoundationEssentials

extension ClientConfiguration {
    static let inClusterDirectory = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// The identity that Kubernetes gives a pod: its token is read again as it rotates.
    public static func inCluster() throws -> ClientConfiguration {
        try inCluster(environment: ProcessInfo.processInfo.environment, directory: inClusterDirectory)
    }

    static func inCluster(environment: [String: String], directory: String) throws -> ClientConfiguration {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty,
            let port = environment["KUBERNETES_SERVICE_PORT"], !port.isEmpty
        else {
            throw unusable("this is not a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set")
        }
        func read(_ file: String) -> String? {
            FileManager.default.contents(atPath: "\(directory)/\(file)").map { String(decoding: $0, as: UTF8.self) }
        }
        guard read("token") != nil, let authority = read("ca.crt") else {
            throw unusable("the pod has no service-account token in \(directory): is automountServiceAccountToken off?")
        }
        let address = host.contains(":") ? "[\(host)]" : host
        var result = ClientConfiguration(
            server: "https://\(address):\(port)", identity: ClientIdentity(token: .file("\(directory)/token")))
        result.certificateAuthority = authority
        let namespace = read("namespace")?.trimmingPrefix { $0.isWhitespace }.prefix { !$0.isWhitespace }
        result.defaultNamespace = namespace.map(String.init)
        return result
    }
}
