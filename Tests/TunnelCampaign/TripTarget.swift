import NIOCore
import Synchronization
import TestCampaign
import TestTunnel

/// What targets saw, for the other end of the same connection to ask.
final class Ledger: Sendable {
    struct Entry: Sendable {
        /// The agent that dialled.
        var agent: String?
        /// What was received, once the end of it was.
        var digest: String?
        /// The connection is over.
        var isOver = false
    }

    private let entries = Mutex<[Int: Entry]>([:])

    func note(_ id: Int, _ change: (inout Entry) -> Void) {
        entries.withLock { entries in
            var entry = entries[id] ?? Entry()
            change(&entry)
            entries[id] = entry
        }
    }

    func entry(_ id: Int) -> Entry? { entries.withLock { $0[id] } }
    func forget(_ id: Int) { entries.withLock { $0[id] = nil } }
    var open: Int { entries.withLock { $0.values.count { !$0.isOver } } }
}

/// The far end of the soak's connections: the first line says which trip it is.
enum TripTarget {
    static let chunk = 32 * 1024

    static func line(of trip: Trip) -> String {
        "\(trip.id) \(trip.kind.rawValue) \(trip.size) \(trip.pause / .seconds(1))\n"
    }

    static func serve(_ connection: inout TestConnection, ledger: Ledger) async throws {
        let words = try await connection.readLine().split(separator: " ")
        guard words.count == 4, let id = Int(words[0]), let kind = TripKind(rawValue: String(words[1])), let size = Int(words[2]),
            let pause = Double(words[3])
        else { return }
        let agent = Network.member(at: connection.channel.remoteAddress?.ipAddress ?? "")
        ledger.note(id) { $0.agent = agent }
        defer { ledger.note(id) { $0.isOver = true } }
        var toTarget = Content(connection: id, .toTarget)
        switch kind {
        case .upload, .sendAndClose, .stalledTarget:
            if kind == .stalledTarget { try await Task.sleep(for: .seconds(pause)) }
            while let bytes = try await connection.read() { try toTarget.take(bytes) }
            let digest = toTarget.digest
            ledger.note(id) { $0.digest = digest }
            if kind != .sendAndClose { try await connection.flush(Array((digest + "\n").utf8)) }
        case .download, .slowReader, .stalledReader:
            try await connection.send(size, of: id, .fromTarget)
        case .resetByClient:
            // Until it hears of the end.
            while true { try await connection.send(1 << 20, of: id, .fromTarget) }
        case .both:
            let sender = connection.sender
            async let sent = sender.send(size, of: id, .fromTarget)
            while let bytes = try await connection.read() { try toTarget.take(bytes) }
            let digest = toTarget.digest
            ledger.note(id) { $0.digest = digest }
            _ = try await sent
        case .resetByTarget:
            var left = size / 2
            while left > 0, let bytes = try await connection.read() { left -= bytes.readableBytes }
            try await connection.reset()
        default:
            try await TestTarget.echo(&connection)
        }
    }
}

/// The output of a connection, to write to while it is read.
struct Sender: Sendable {
    var channel: any Channel

    /// Returns the digest of what was sent, once the kernel has all of it.
    @discardableResult
    func send(_ size: Int, of id: Int, _ direction: Content.Direction) async throws -> String {
        var content = Content(connection: id, direction)
        while content.count < size {
            try await channel.writeAndFlush(content.next(min(TripTarget.chunk, size - content.count))).get()
        }
        return content.digest
    }
}

extension TestConnection {
    var sender: Sender { Sender(channel: channel) }

    @discardableResult
    func send(_ size: Int, of id: Int, _ direction: Content.Direction) async throws -> String {
        try await sender.send(size, of: id, direction)
    }

    mutating func readLine() async throws -> String {
        var text = ""
        while !text.hasSuffix("\n") {
            guard text.utf8.count < 200 else { throw Ended() }
            text += try await read(exactly: 1)
        }
        return String(text.dropLast())
    }
}
