/// What travels on the control stream: lines of words, so that a person can read a capture and either end can skip what it does
/// not know.
///
/// Server to agent:
/// ```
/// state 7
/// api 192.0.2.10:30443
/// tunnel 192.0.2.10:30132
/// route 10.244.1.0/24 192.168.9.12
/// end
/// ```
/// and, first of all and whenever it changes, `server ID COUNT`: who this server is, and how many there are.
///
/// Agent to server: `confirm 7`, or `failed 7 TEXT`.
///
/// Server to server: `holds NODE` and `drops NODE`, as agents come and go.
public enum ControlMessage: Hashable, Sendable {
    case server(id: String, count: Int)
    case state(revision: UInt64, NodeState)
    case confirm(revision: UInt64)
    case failed(revision: UInt64, reason: String)
    case holds(node: String)
    case drops(node: String)

    public var text: String {
        switch self {
        case .server(let id, let count):
            return "server \(id) \(count)\n"
        case .holds(let node):
            return "holds \(node)\n"
        case .drops(let node):
            return "drops \(node)\n"
        case .state(let revision, let state):
            var lines = ["state \(revision)"]
            lines += state.apiEndpoints.map { "api \($0)" }
            lines += state.tunnelEndpoints.map { "tunnel \($0)" }
            lines += state.routes.map { "route \($0.pods) \($0.via)" }
            lines.append("end\n")
            return lines.joined(separator: "\n")
        case .confirm(let revision):
            return "confirm \(revision)\n"
        case .failed(let revision, let reason):
            return "failed \(revision) \(OneLine.clean(reason))\n"
        }
    }
}

/// Why a control stream cannot be followed further.
public struct ControlError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String
}

/// Reads control messages from bytes as they come.
public struct ControlDecoder: Sendable {
    static let maximumLine = 1024
    /// 65,536 lines describe a cluster far beyond what Kubernetes is meant for.
    static let maximumLines = 65_536

    private var line: [UInt8] = []
    private struct OpenState {
        var revision: UInt64
        var state = NodeState()
        var lines = 0
    }

    private var open: OpenState?

    public init() {}

    /// The messages that `bytes` complete.
    public mutating func append(_ bytes: some Sequence<UInt8>) throws(ControlError) -> [ControlMessage] {
        var messages: [ControlMessage] = []
        for byte in bytes {
            guard byte == 0x0a else {
                line.append(byte)
                guard line.count <= Self.maximumLine else {
                    throw ControlError(description: "a control line is longer than \(Self.maximumLine) bytes")
                }
                continue
            }
            let text = String(decoding: line, as: UTF8.self)
            line.removeAll(keepingCapacity: true)
            if let message = try read(text) { messages.append(message) }
        }
        return messages
    }

    private mutating func read(_ line: String) throws(ControlError) -> ControlMessage? {
        let words = line.split(separator: " ", maxSplits: 2)
        guard let verb = words.first else { return nil }
        if open != nil { return try readInState(verb, words.dropFirst(), line) }
        switch verb {
        case "state":
            open = OpenState(revision: try revision(words, line))
            return nil
        case "server":
            guard words.count == 3, let count = Int(words[2]), (1...1000).contains(count), OneLine.clean(String(words[1])) == words[1]
            else {
                throw ControlError(description: "not a server: \"\(OneLine.clean(line))\"")
            }
            return .server(id: String(words[1]), count: count)
        case "holds" where words.count == 2:
            return .holds(node: String(words[1]))
        case "drops" where words.count == 2:
            return .drops(node: String(words[1]))
        case "confirm":
            return .confirm(revision: try revision(words, line))
        case "failed":
            return .failed(revision: try revision(words, line), reason: words.count > 2 ? OneLine.clean(String(words[2])) : "")
        default:
            // A later version's word.
            return nil
        }
    }

    private mutating func readInState(
        _ verb: Substring, _ arguments: ArraySlice<Substring>, _ line: String
    ) throws(ControlError) -> ControlMessage? {
        // Taken out, so that its lists are appended to where they are.
        guard var current = open.take() else { return nil }
        current.lines += 1
        guard current.lines <= Self.maximumLines else {
            throw ControlError(description: "a state has more than \(Self.maximumLines) lines")
        }
        let arguments = Array(arguments)
        switch verb {
        case "api": current.state.apiEndpoints.append(try endpoint(arguments, line))
        case "tunnel": current.state.tunnelEndpoints.append(try endpoint(arguments, line))
        case "route":
            guard arguments.count == 2, let pods = AddressBlock(arguments[0]), let via = IPAddress(arguments[1]) else {
                throw ControlError(description: "not a route: \"\(OneLine.clean(line))\"")
            }
            current.state.routes.append(PodRoute(pods: pods, via: via))
        case "end":
            return .state(revision: current.revision, current.state)
        default: break
        }
        open = current
        return nil
    }

    private func revision(_ words: [Substring], _ line: String) throws(ControlError) -> UInt64 {
        guard words.count >= 2, let revision = UInt64(words[1]) else {
            throw ControlError(description: "no revision in \"\(OneLine.clean(line))\"")
        }
        return revision
    }

    private func endpoint(_ arguments: [Substring], _ line: String) throws(ControlError) -> Endpoint {
        guard arguments.count == 1, let endpoint = Endpoint(arguments[0]) else {
            throw ControlError(description: "not an endpoint: \"\(OneLine.clean(line))\"")
        }
        return endpoint
    }
}
