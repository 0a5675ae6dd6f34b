import Dispatch
import Glibc
import Synchronization

/// A small HTTP/1.1 server for files in memory, which can be told to misbehave. One connection, one request.
final class FileServer: Sendable {
    struct Request: Sendable, Equatable {
        /// As it stands in the request line: a path, or a whole URL where a proxy is asked.
        var target: String
        var rangeStart: Int?
    }

    struct State {
        var files: [String: [UInt8]] = [:]
        /// Connections that end after so many bytes of the body, by path, first come first served.
        var cuts: [String: [Int]] = [:]
        /// Answers instead of the file, first come first served.
        var statuses: [String: [Int]] = [:]
        var knowsRanges = true
        var requests: [Request] = []
        /// The listener is closed: its number may be another's by now.
        var isOver = false
    }

    let port: UInt16
    private let listener: CInt
    private let state = Mutex(State())

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listening = listener
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listening, $0, length) == 0 && listen(listening, 16) == 0 && getsockname(listening, $0, &length) == 0
            }
        }
        precondition(bound, "no port for the test's server")
        port = address.sin_port.byteSwapped
        DispatchQueue(label: "file-server").async { self.serve() }
    }

    /// Ends the serving thread.
    func stop() {
        state.withLock { state in
            if !state.isOver { shutdown(listener, Int32(SHUT_RDWR)) }
        }
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { state.withLock { $0.requests } }
    func change(_ body: (inout sending State) -> Void) { state.withLock { body(&$0) } }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            if connection < 0 {
                if errno == ECONNABORTED || errno == EINTR { continue }
                break
            }
            answer(connection)
            close(connection)
        }
        state.withLock { state in
            state.isOver = true
            close(listener)
        }
    }

    private func answer(_ connection: CInt) {
        var head: [UInt8] = []
        var byte: UInt8 = 0
        while head.suffix(4) != [13, 10, 13, 10], head.count < 16384, read(connection, &byte, 1) == 1 { head.append(byte) }
        let lines = String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline)
        guard let words = lines.first?.split(separator: " "), words.count == 3 else { return }
        let target = String(words[1])
        let range = lines.first { $0.lowercased().hasPrefix("range: bytes=") }
            .flatMap { Int($0.dropFirst("range: bytes=".count).prefix { $0.isNumber }) }
        var path = target
        if let scheme = target.firstRange(of: "://") {
            let rest = target[scheme.upperBound...]
            path = rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? "/"
        }
        let (bytes, cut, status, knowsRanges) = state.withLock { state -> ([UInt8]?, Int?, Int?, Bool) in
            state.requests.append(Request(target: target, rangeStart: range))
            func next(_ list: inout [Int]?) -> Int? { list?.isEmpty == false ? list?.removeFirst() : nil }
            return (state.files[path], next(&state.cuts[path]), next(&state.statuses[path]), state.knowsRanges)
        }
        if let status {
            send(connection, "HTTP/1.1 \(status) As Told\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry")
            return
        }
        guard let bytes else {
            send(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone")
            return
        }
        var body = bytes[...]
        if let range, knowsRanges {
            guard range < bytes.count else {
                send(connection, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            }
            body = bytes[range...]
            send(
                connection,
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes \(range)-\(bytes.count - 1)/\(bytes.count)\r\n"
                    + "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n")
        } else {
            send(connection, "HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n")
        }
        if let cut { body = body.prefix(cut) }
        send(connection, Array(body))
    }

    private func send(_ connection: CInt, _ text: String) { send(connection, Array(text.utf8)) }

    private func send(_ connection: CInt, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }
}
