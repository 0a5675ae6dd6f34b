/// What an agent of Konnectivity's says it can reach, in the header `agentidentifiers`: a URL's query such as
/// `ipv4=10.0.0.1&host=node1&default-route=true`.
///
/// It is the agent's own word, so it counts only where no record of nodes says better.
public struct AgentIdentifiers: Hashable, Sendable {
    /// Far more than a node has.
    static let maximumCount = 256

    public internal(set) var ipv4: [String] = []
    public internal(set) var ipv6: [String] = []
    public internal(set) var host: [String] = []
    /// Read by upstream too, and used by nobody.
    public internal(set) var cidr: [String] = []
    public internal(set) var defaultRoute = false
    /// Kinds of a later version, or misspelt.
    public internal(set) var unknown: [String] = []

    public init() {}

    /// A text that is not a query.
    public struct Malformed: Error, Hashable, CustomStringConvertible {
        public var text: String
        public var description: String { "the agent's identifiers cannot be read: \"\(OneLine.clean(text))\"" }
    }

    public init(query: String) throws(Malformed) {
        let pairs = query.split(separator: "&")
        guard pairs.count <= Self.maximumCount, !query.utf8.contains(UInt8(ascii: ";")) else { throw Malformed(text: query) }
        var defaultRoutes: [String] = []
        for pair in pairs {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = PercentEncoding.decodeQuery(halves[0]),
                let value = PercentEncoding.decodeQuery(halves.count > 1 ? halves[1] : "")
            else { throw Malformed(text: query) }
            switch key {
            case "ipv4": ipv4.append(value)
            case "ipv6": ipv6.append(value)
            case "host": host.append(value)
            case "cidr": cidr.append(value)
            case "default-route": defaultRoutes.append(value)
            default: unknown.append(key)
            }
        }
        // Upstream looks at the first one, and takes what Go takes for true.
        defaultRoute = defaultRoutes.first.map { ["1", "t", "T", "TRUE", "true", "True"].contains($0) } ?? false
    }

    /// Whether one of the names or addresses is this host.
    func name(_ target: String) -> Bool {
        if ipv4.contains(target) || ipv6.contains(target) || host.contains(target) { return true }
        guard let address = IPAddress(target) else { return false }
        return (ipv4 + ipv6).contains { IPAddress($0) == address }
    }
}
