import Tunnel

/// `node.conf`: what `nestbox-node` is told when its machine joins.
public struct NodeConfiguration: Equatable, Sendable {
    public var nodeName: String
    /// The address that the tenant's API has on this machine, and its port.
    public var apiAddress: Endpoint
    /// Used until the control stream says otherwise.
    public var apiEndpoints: [Endpoint]
    public var tunnelEndpoints: [Endpoint]
    public var tunnelServerName: String
    public var tls: TLSFiles
    public var stateDirectory: String
    public var podRoutes: Bool
    public var podCIDR: AddressBlock?
    /// Blocks that the agent dials though it would refuse them.
    public var dialAllow: [AddressBlock]
    public var logLevel: String

    /// Keys that this version does not know: a later one's, to be mentioned and passed over.
    public var unknownKeys: [String]
}

/// What is wrong with a configuration file.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String
}

extension NodeConfiguration {
    /// Reads `key = value` lines; `#` begins a comment line.
    public init(text: String, path: String) throws(ConfigurationError) {
        var values = Values(path: path)
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = Self.trimmed(line)
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let equals = line.firstIndex(of: "=") else {
                throw ConfigurationError(description: "\(path):\(index + 1): not \"key = value\"")
            }
            try values.set(Self.trimmed(line[..<equals]), Self.trimmed(line[line.index(after: equals)...]), line: index + 1)
        }
        nodeName = try values.take("node-name")
        guard !nodeName.isEmpty else { throw ConfigurationError(description: "\(path): node-name is empty") }
        apiAddress = try values.take("api-address", "HOST:PORT with an IPv4 address") { text in
            Endpoint(text).flatMap { $0.address?.isIPv4 == true ? $0 : nil }
        }
        apiEndpoints = try values.take("api-endpoints", "HOST:PORT[,HOST:PORT...]", read: Endpoint.list)
        tunnelEndpoints = try values.take("tunnel-endpoints", "HOST:PORT[,HOST:PORT...]", read: Endpoint.list)
        tunnelServerName = try values.take("tunnel-server-name", default: "nestbox-tunnel")
        let certificate = try values.take("certificate-file")
        tls = TLSFiles(
            certificate: certificate, key: try values.take("key-file", default: certificate), authority: try values.take("ca-file"))
        stateDirectory = try values.take("state-directory", default: "/var/lib/nestbox-node")
        podRoutes = try values.take("pod-routes", "on or off", default: "off") { ["on": true, "off": false][$0] }
        podCIDR = try values.take("pod-cidr", "ADDRESS/PREFIX", default: "") { text -> AddressBlock?? in
            if text.isEmpty { return .some(nil) }
            return AddressBlock(text).map { .some($0) }
        }
        dialAllow = try values.take("dial-allow", "ADDRESS/PREFIX[,...]", default: "") { text in
            let blocks = text.split(separator: ",").map { AddressBlock(Self.trimmed($0)) }
            return blocks.contains(nil) ? nil : blocks.compactMap { $0 }
        }
        logLevel = try values.take("log-level", default: "info")
        unknownKeys = values.rest
    }

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" && $0 != "\r" }) else { return "" }
        return String(start[...last])
    }

    private struct Values {
        let path: String
        private var values: [String: (value: String, line: Int)] = [:]

        init(path: String) { self.path = path }

        var rest: [String] { values.keys.sorted() }

        mutating func set(_ key: String, _ value: String, line: Int) throws(ConfigurationError) {
            if let earlier = values.updateValue((value, line), forKey: key) {
                throw ConfigurationError(description: "\(path):\(line): \(key) stands in line \(earlier.line) already")
            }
        }

        mutating func take(_ key: String, default fallback: String? = nil) throws(ConfigurationError) -> String {
            try take(key, "text", default: fallback) { $0 }
        }

        mutating func take<Value>(
            _ key: String, _ form: String, default fallback: String? = nil, read: (String) -> Value?
        ) throws(ConfigurationError) -> Value {
            let entry = values.removeValue(forKey: key)
            guard let text = entry?.value ?? fallback else { throw ConfigurationError(description: "\(path): \(key) is missing") }
            guard let value = read(text) else {
                let place = entry.map { "\(path):\($0.line)" } ?? path
                throw ConfigurationError(description: "\(place): \(key) = \(OneLine.clean(text)): want \(form)")
            }
            return value
        }
    }
}
