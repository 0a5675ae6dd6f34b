import NIOCore
import NIOEmbedded

@testable import Tunnel

extension Target {
    /// What keeps a state: one thing after the other happens to it, in an order that the input decides.
    static let relays = [
        Target("relay", seeds: walks, run: relay),
        Target("carrier-pair", seeds: walks, run: carrierPair),
        Target("carrier-hostile", seeds: walks, run: hostileCarrier),
        Target("packet-stream", seeds: walks, run: packetStream),
    ]

    static let walks: [[UInt8]] = (1...8).map { seed in
        (0..<(seed * 100)).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761 &+ seed) >> 7) }
    }

    /// Two sockets, each the other's partner.
    @Sendable private static func relay(_ bytes: [UInt8]) {
        guard bytes.count > 1 else { return }
        var input = Input(bytes)
        let mayBreak = input.byte() & 3 == 3
        let loop = EmbeddedEventLoop()
        guard let left = try? FuzzedSocket(on: loop), let right = try? FuzzedSocket(on: loop) else { fatalError("no channel") }
        left.end.link(to: right.end)
        right.end.link(to: left.end)
        while !input.isEmpty {
            (input.flag() ? left : right).step(&input, mayBreak: mayBreak)
            if input.byte() & 7 == 0 { loop.run() }
            for (one, other) in [(left, right), (right, left)] {
                check(one.unwrittenBytes <= 3 * FuzzedSocket.largestRead, "\(one.unwrittenBytes) bytes are held")
                check(one.bytesWritten + one.unwrittenBytes <= other.bytesRead, "more is written than was read")
            }
        }
        settle([left, right], loop) {}
        if !mayBreak { checkCarried(left, right) }
        loop.advanceTime(by: SocketEnd.orphanTime + .seconds(1))
        left.takes(.max)
        right.takes(.max)
        loop.run()
        check(left.isClosed && right.isClosed, "a relay outlives its end: \(left); \(right)")
    }

    /// Lets everything pass, then ends all input and lets that pass too.
    private static func settle(_ sockets: [FuzzedSocket], _ loop: EmbeddedEventLoop, _ carry: () -> Void) {
        for ends in [false, true] {
            for _ in 0..<64 {
                loop.run()
                carry()
                for socket in sockets {
                    socket.takes(.max)
                    if ends { socket.readsEnd() }
                }
            }
        }
    }

    private static func checkCarried(_ one: FuzzedSocket, _ other: FuzzedSocket) {
        for (one, other) in [(one, other), (other, one)] {
            check(!one.wasReset, "a relay was reset that nobody broke")
            check(one.bytesWritten == other.bytesRead, "\(other.bytesRead) bytes were read and \(one.bytesWritten) written")
            check(one.isClosed, "a socket is open that is at its end both ways")
        }
    }

    /// The whole of the tunnel between two rows of sockets: SocketEnd, CarrierStream, frames, CarrierStream, SocketEnd.
    @Sendable private static func carrierPair(_ bytes: [UInt8]) {
        guard bytes.count > 4 else { return }
        var input = Input(bytes)
        let mayBreak = input.byte() & 3 == 3
        let loop = EmbeddedEventLoop()
        let watermark = 1 << (8 + Int(input.byte() & 15))
        guard let server = try? FuzzedCarrier(on: loop, watermark: watermark),
            let agent = try? FuzzedCarrier(on: loop, watermark: watermark)
        else { fatalError("no channel") }
        while !input.isEmpty {
            switch input.byte() & 7 {
            case 0: carry(input.size(upTo: 1 << 20), server, agent)
            case 1: carry(input.size(upTo: 1 << 20), agent, server)
            case 2...4: server.step(&input, mayBreak: mayBreak)
            // Only servers ask.
            default: agent.step(&input, mayBreak: mayBreak, mayOpen: false)
            }
        }
        if !mayBreak { check(server.closeError == nil && agent.closeError == nil, "a connection broke that nobody broke") }
        for _ in 0..<4 {
            carry(.max, server, agent)
            agent.answerAll()
            carry(.max, agent, server)
        }
        settle(server.sockets + agent.sockets, loop) {
            carry(.max, server, agent)
            carry(.max, agent, server)
        }
        if !mayBreak {
            check(server.carrier.streamCount == 0 && agent.carrier.streamCount == 0, "streams are open that ended both ways")
            for socket in server.sockets + agent.sockets {
                check(socket.isClosed && !socket.wasReset, "a socket was reset that nobody broke, or outlives its relay")
            }
            check(
                server.sockets.map(\.bytesRead).sorted() == agent.sockets.map(\.bytesWritten).sorted()
                    && server.sockets.map(\.bytesWritten).sorted() == agent.sockets.map(\.bytesRead).sorted(), "bytes were lost")
        }
        server.close()
        agent.close()
    }

    private static func carry(_ count: Int, _ from: FuzzedCarrier, _ to: FuzzedCarrier) {
        from.collect()
        to.arrive(from.leave(count))
        from.collect()
    }

    /// One end, sent whatever a peer could come up with.
    @Sendable private static func hostileCarrier(_ bytes: [UInt8]) {
        guard bytes.count > 4 else { return }
        var input = Input(bytes)
        let loop = EmbeddedEventLoop()
        guard let end = try? FuzzedCarrier(on: loop, watermark: 1 << (8 + Int(input.byte() & 15)), isHostile: true) else {
            fatalError("no channel")
        }
        while !input.isEmpty {
            switch input.byte() & 7 {
            case 0...3:
                var frames = ByteBuffer()
                for _ in 0...Int(input.byte() & 7) { frames.writeFrame(hostileFrame(&input)) }
                end.arrive(frames)
                if input.byte() == 0xff, frames.readableBytes < 1024 { for _ in 0..<100 { end.arrive(frames) } }
            case 4: end.arrive(ByteBuffer(bytes: input.take(Int(input.byte() & 31))))
            case 5: _ = end.leave(input.size(upTo: 1 << 20))
            default: end.step(&input, mayBreak: true)
            }
        }
        end.close()
    }

    private static let zeros = ByteBuffer(repeating: 0, count: FrameReader.maximumData)

    private static func hostileFrame(_ input: inout Input) -> Frame {
        let kind = input.byte()
        let stream = [1, 1, 2, 3, 4, 5, 0, UInt32.max][Int(input.byte() & 7)]
        let window = [0, 1, 1 << 10, 1 << 19, 1 << 24, .max, .max - 1, 3][Int(input.byte() & 7)] as UInt32
        switch kind % 13 {
        case 0, 1: return .open(stream: stream, window: window, target: "10.0.0.1:80")
        case 2: return .opened(stream: stream, window: window)
        case 3: return .refused(stream: stream, .unavailable("no"))
        case 4, 5, 6: return .data(stream: stream, zeros.getSlice(at: 0, length: input.size(upTo: zeros.readableBytes)) ?? ByteBuffer())
        case 7: return .finish(stream: stream)
        case 8: return .reset(stream: stream)
        case 9, 10: return .window(stream: stream, increment: window)
        case 11: return input.flag() ? .ping(UInt64(window)) : .pong(UInt64(window))
        default: return input.flag() ? .leaving(reason: "no") : .control(ByteBuffer(bytes: input.take(9)))
        }
    }

    /// The state of one of Konnectivity's connections: whatever happens, it comes to rest, and nothing follows its end.
    @Sendable private static func packetStream(_ bytes: [UInt8]) {
        var input = Input(bytes)
        var state = PacketStreamState(side: input.flag() ? .dialer : .dialed)
        var delivered = 0
        var ends = 0
        var closes = 0
        var isForgotten = false
        while !input.isEmpty {
            switch input.byte() % 13 {
            case 0: state.linked()
            case 1, 2: if state.received() { check(!isForgotten, "bytes are queued behind the end") }
            case 3: state.delivered(hasMore: input.flag())
            case 4: state.peerClosed(input.flag() ? .orderly : .broken)
            case 5: state.closeTimedOut()
            case 6: _ = state.carrierLost()
            case 7: state.stalled()
            case 8:
                if delivered > 0 {
                    state.partnerTook(1)
                    delivered -= 1
                }
            case 9: if state.partnerSent() { check(closes == 0, "bytes are sent behind the close") }
            case 10: state.partnerFinished()
            case 11: state.partnerGone(input.flag() ? .orderly : .broken)
            default: break
            }
            var steps = 0
            let isWritable = input.flag()
            while let step = state.next(isWritable: isWritable) {
                steps += 1
                check(steps < 16, "no rest")
                check(!isForgotten, "\(step) behind the end")
                switch step {
                case .deliver:
                    delivered += 1
                    check(delivered == 1 && ends == 0, "a batch too many, or behind the end")
                    state.delivered(hasMore: input.flag())
                case .endPartner: ends += 1
                case .sendClose: closes += 1
                case .forget: isForgotten = true
                case .acknowledge(let batches): check(batches > 0, "nothing is acknowledged")
                case .awaitClose: break
                }
            }
            check(ends <= 1 && closes <= 1 && state.owed >= 0, "an end twice")
        }
    }
}
