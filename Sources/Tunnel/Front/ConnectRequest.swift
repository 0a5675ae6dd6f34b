/// Reads the one HTTP/1.1 CONNECT of a connection, byte by byte as it comes.
///
/// kube-apiserver sends `CONNECT host:port HTTP/1.1` and a Host header that is the same for every target (`127.0.0.1`), so only
/// the request's target counts. What follows the header belongs to the tunnelled connection.
struct ConnectRequest {
    /// Ends an endless header: kube-apiserver's own is under 400 bytes.
    static let maximumHeaderBytes = 16 * 1024

    enum Outcome: Equatable {
        case incomplete
        /// The target, and how many bytes of what was appended last belong to the header.
        case target(Endpoint)
        case failure(DialFailure)
    }

    private var header: [UInt8] = []
    private(set) var outcome = Outcome.incomplete

    /// Takes bytes and returns how many of them belong to the header; the rest is the tunnel's.
    mutating func append(_ bytes: some Collection<UInt8>) -> Int {
        guard case .incomplete = outcome else { return 0 }
        var taken = 0
        for byte in bytes {
            header.append(byte)
            taken += 1
            if byte == 0x0a, header.suffix(4) == [0x0d, 0x0a, 0x0d, 0x0a] {
                outcome = Self.parse(header.dropLast(4))
                header = []
                return taken
            }
            if header.count >= Self.maximumHeaderBytes {
                outcome = .failure(.init(status: 431, reason: "header longer than \(Self.maximumHeaderBytes) bytes"))
                header = []
                return taken
            }
        }
        return taken
    }

    private static func parse(_ header: ArraySlice<UInt8>) -> Outcome {
        guard header.allSatisfy({ (0x20...0x7e).contains($0) || $0 == 0x0d || $0 == 0x0a || $0 == 0x09 || $0 >= 0x80 }) else {
            return .failure(.badRequest("control bytes in the header"))
        }
        let lines = String(decoding: header, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = (lines.first ?? "").split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2].hasPrefix("HTTP/") else { return .failure(.badRequest("not an HTTP request line")) }
        guard words[2] == "HTTP/1.1" || words[2] == "HTTP/1.0" else {
            return .failure(.init(status: 505, reason: "HTTP version \(words[2])"))
        }
        guard words[0] == "CONNECT" else { return .failure(.init(status: 405, reason: "only CONNECT is served here, not \(words[0])")) }
        guard let target = Endpoint(words[1]) else {
            return .failure(.badRequest("the target \"\(words[1])\" is not HOST:PORT"))
        }
        return .target(target)
    }
}

/// The answers to a CONNECT.
enum ConnectAnswer {
    static let established = "HTTP/1.1 200 Connection Established\r\n\r\n"

    static func failure(_ failure: DialFailure) -> String {
        "HTTP/1.1 \(failure.status) \(OneLine.clean(failure.reason))\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    }
}
