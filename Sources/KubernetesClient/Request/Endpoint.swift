import FoundationEssentials

/// The parts of a server's URL, checked.
struct Endpoint: Sendable, Equatable {
    /// What paths are appended to.
    var base: String
    /// Without brackets, as one connects to it.
    var host: String
    var port: Int
    /// `host:port`, for metrics.
    var label: String
    /// To check the certificate against another name, that name goes into the URL and the true host here.
    var addressOverride: [String: String]?
    var proxy: Proxy?

    struct Proxy: Sendable, Equatable {
        var host: String
        var port: Int
    }

    init(_ configuration: ClientConfiguration) throws {
        let server = configuration.server
        guard let url = URL(string: server), let scheme = url.scheme, ["http", "https"].contains(scheme),
            let host = url.host(), !host.isEmpty
        else {
            throw ClientConfiguration.unusable("the server \(server) is not an http or https URL")
        }
        let port = url.port ?? (scheme == "https" ? 443 : 80)
        let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        let written = bare.contains(":") ? "[\(bare)]" : bare
        self.host = bare
        self.port = port
        label = "\(written):\(port)"
        var shown = written
        if let name = configuration.tlsServerName, !name.isEmpty, name != bare, scheme == "https" {
            addressOverride = [name: bare]
            shown = name
        }
        var path = url.path()
        while path.hasSuffix("/") { path.removeLast() }
        base = "\(scheme)://\(shown):\(port)\(path)"
        if let proxy = configuration.proxy, !proxy.isEmpty {
            guard let url = URL(string: proxy), url.scheme == "http", let host = url.host(), let port = url.port else {
                throw ClientConfiguration.unusable("the proxy-url is not http://HOST:PORT, the only kind that is supported")
            }
            self.proxy = Proxy(host: host, port: port)
        }
    }
}
