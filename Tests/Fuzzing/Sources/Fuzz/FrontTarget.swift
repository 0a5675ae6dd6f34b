import Logging
import NIOCore
import NIOEmbedded

@testable import Tunnel

extension Target {
    /// A connection to the front: what it sends, how its dial goes, and when it leaves.
    static let front = Target(
        "front", seeds: walks + [Array("\u{0}\u{50}CONNECT 10.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nbehind\u{4}\u{4}\u{0}".utf8)],
        run: front)

    @Sendable private static func front(_ bytes: [UInt8]) {
        var input = Input(bytes)
        guard let front = try? FuzzedFront() else { fatalError("no channel") }
        while !input.isEmpty { front.step(&input) }
        front.close()
    }
}

/// A front connection, and a dialer that answers when the input says so.
private final class FuzzedFront: Dialer {
    private final class Pending: PendingDial {
        var answer: ((Result<any RelayEnd, DialFailure>) -> Void)?
        func abandon() { answer = nil }
    }

    private static let counters = TunnelCounters()
    private static let logger = Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() }
    private static let request = ByteBuffer(string: "CONNECT 10.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")

    private let loop = EmbeddedEventLoop()
    private let channel: EmbeddedChannel
    private var refuses = false
    private var inputEnded = false
    private var pending: Pending?
    private var dials = 0
    private var far: FuzzedSocket?
    private var output = ByteBuffer()

    init() throws {
        channel = EmbeddedChannel(loop: loop)
        let limits = FrontLimits(counters: Self.counters, memory: ProcessMemory(eventLoop: loop), logger: Self.logger)
        let handler = FrontHandler(dialer: self, limits: limits, isPlain: false, counters: Self.counters, logger: Self.logger)
        try channel.pipeline.syncOperations.addHandlers([SocketReset(), handler])
        _ = try channel.connect(to: SocketAddress(ipAddress: "10.0.0.1", port: 1))
    }

    func dial(_ target: Endpoint, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void) throws(DialFailure) -> any PendingDial {
        dials += 1
        check(dials == 1, "two dials of one connection")
        if refuses { throw .unavailable("no") }
        let pending = Pending()
        pending.answer = answer
        self.pending = pending
        return pending
    }

    func step(_ input: inout Input) {
        switch input.byte() & 7 {
        case 0...1: arrive(ByteBuffer(bytes: input.take(Int(input.byte()))))
        case 2: arrive(Self.request)
        case 3: answer(succeeds: input.byte() & 3 != 0)
        case 4: loop.advanceTime(by: .milliseconds(Int64(input.number(below: 12_000))))
        case 5:
            switch input.byte() & 31 {
            case 0: end()
            case 1: if channel.isActive { channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read")) }
            case 2: channel.close(promise: nil)
            case 3: refuses = true
            default: loop.run()
            }
        default: far?.step(&input, mayBreak: true)
        }
        collect()
    }

    private func end() {
        guard channel.isActive, !inputEnded else { return }
        inputEnded = true
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    private func arrive(_ bytes: ByteBuffer) {
        guard channel.isActive, !inputEnded else { return }
        channel.pipeline.fireChannelRead(bytes)
        channel.pipeline.fireChannelReadComplete()
    }

    private func answer(succeeds: Bool) {
        guard let answer = pending?.answer else { return }
        pending = nil
        guard succeeds, let far = try? FuzzedSocket(on: loop, checksPattern: false) else {
            return answer(.failure(.badGateway("refused\r\nX: y")))
        }
        self.far = far
        answer(.success(far.end))
    }

    private func collect() {
        while let bytes = try? channel.readOutbound(as: ByteBuffer.self) { output.writeImmutableBuffer(bytes) }
        let text = String(decoding: output.readableBytesView.prefix(512), as: UTF8.self)
        if let far {
            let answer = ConnectAnswer.established
            check(text.hasPrefix(answer) || text.isEmpty && !channel.isActive, "a relay began with \(text.debugDescription)")
            check(output.readableBytes <= answer.utf8.count + far.bytesRead, "more was written than was read")
        } else if !text.isEmpty {
            let isFailure = text.hasPrefix("HTTP/1.1 4") || text.hasPrefix("HTTP/1.1 5")
            let isWhole = text.hasSuffix("\r\n\r\n") && text.split(separator: "\r\n").count == 3
            check(isFailure && isWhole, "not an answer: \(text.debugDescription)")
        }
    }

    /// Ends the case.
    func close() {
        channel.close(promise: nil)
        loop.run()
        collect()
        far?.close()
        loop.advanceTime(by: .minutes(2))
        check(Self.counters.dialsPending.current == 0, "\(Self.counters.dialsPending.current) dials are pending for nobody")
        check(Self.counters.connectionsOpen.current == 0, "\(Self.counters.connectionsOpen.current) connections are open of none")
    }
}
