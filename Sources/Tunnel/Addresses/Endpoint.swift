/// A host and a port to dial: `10.0.0.1:443`, `[fd00::1]:443` or `name.example:443`.
public struct Endpoint: Hashable, Sendable {
    /// An address without brackets, or a DNS name.
    public let host: String
    public let port: Int

    /// Nil if the host is neither an address nor a DNS name, or the port is not one.
    public init?(host: String, port: Int) {
        guard (1...65535).contains(port), IPAddress(host) != nil || Self.isDNSName(host) else { return nil }
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`; an IPv6 address stands in brackets.
    public init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]") else { return nil }
            host = host.dropFirst().dropLast()
            guard let address = IPAddress(host), host.contains(":") else { return nil }
            self.init(host: address.description, port: port)
        } else {
            guard !host.contains(":") else { return nil }
            self.init(host: String(host), port: port)
        }
    }

    /// The host as an address, or nil when it is a name.
    public var address: IPAddress? { IPAddress(host) }

    private static func isDNSName(_ host: String) -> Bool {
        guard (1...253).contains(host.utf8.count) else { return false }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        let lastIsEmpty = labels.last?.isEmpty == true && labels.count > 1
        return (lastIsEmpty ? labels.dropLast() : labels[...]).allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy {
                    (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || $0 == 0x2d || $0 == 0x5f
                }
        }
    }
}

extension Endpoint: CustomStringConvertible {
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension Endpoint {
    /// Reads a comma-separated list; nil if any of it is not an endpoint.
    public static func list(_ text: some StringProtocol) -> [Endpoint]? {
        var endpoints: [Endpoint] = []
        for part in text.split(separator: ",") {
            let trimmed = part.drop { $0 == " " }
            let end = trimmed.lastIndex { $0 != " " }.map(trimmed.index(after:)) ?? trimmed.startIndex
            guard let endpoint = Endpoint(trimmed[..<end]) else { return nil }
            endpoints.append(endpoint)
        }
        return endpoints
    }
}
