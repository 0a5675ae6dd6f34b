import NIOCore
import Testing

@testable import Tunnel

@Suite("Frames of the native transport")
struct FrameTests {
    private static let frames: [Frame] = [
        .open(stream: 1, window: 262_144, target: "10.0.0.1:10250"),
        .opened(stream: 1, window: 7),
        .refused(stream: 2, DialFailure(status: 504, reason: "10.0.0.1:1: timed out")),
        .data(stream: .max, ByteBuffer(string: "bytes")),
        .finish(stream: 3), .reset(stream: 4), .window(stream: 5, increment: .max), .ping(9), .pong(.max),
        .leaving(reason: "the server is stopping"), .control(ByteBuffer(string: "confirm 7\n")),
    ]

    private func read(_ bytes: ByteBuffer, in parts: Int) throws -> [Frame] {
        var reader = FrameReader()
        var frames: [Frame] = []
        var bytes = bytes
        while let part = bytes.readSlice(length: min(parts, bytes.readableBytes)), part.readableBytes > 0 {
            reader.append(part)
            while let frame = try reader.next() { frames.append(frame) }
        }
        return frames
    }

    @Test("What is written is read, whole", arguments: frames)
    func roundTrip(frame: Frame) throws {
        var bytes = ByteBuffer()
        bytes.writeFrame(frame)
        #expect(try read(bytes, in: .max) == [frame])
    }

    @Test("Frames may come in pieces of any size; the bytes of DATA come as they arrive", arguments: [1, 2, 3, 7, 8, 9, 13, 64])
    func pieces(size: Int) throws {
        var bytes = ByteBuffer()
        for frame in Self.frames { bytes.writeFrame(frame) }
        var joined: [Frame] = []
        for frame in try read(bytes, in: size) {
            if case .data(let stream, let more) = frame, case .data(stream, var sofar)? = joined.last {
                sofar.writeImmutableBuffer(more)
                joined[joined.count - 1] = .data(stream: stream, sofar)
            } else {
                joined.append(frame)
            }
        }
        #expect(joined == Self.frames)
    }

    @Test("A later version's frame is passed over, whatever it carries")
    func unknown() throws {
        var bytes = ByteBuffer()
        bytes.writeInteger(FrameHeader(length: 5, type: 200, stream: 1).word)
        bytes.writeString("hello")
        bytes.writeFrame(.finish(stream: 1))
        #expect(try read(bytes, in: 4) == [.unknown, .finish(stream: 1)])
    }

    @Test(
        "A frame that announces too much is refused before it is waited for",
        arguments: [
            FrameHeader(length: FrameReader.maximumData + 1, type: FrameType.data.rawValue, stream: 1),
            FrameHeader(length: FrameReader.maximumControl + 1, type: FrameType.control.rawValue, stream: 0),
            FrameHeader(length: FrameReader.maximumOther + 1, type: FrameType.open.rawValue, stream: 1),
            FrameHeader(length: FrameReader.maximumOther + 1, type: 99, stream: 1),
        ])
    func tooLong(header: FrameHeader) {
        #expect(throws: FrameError.self) { try read(ByteBuffer(integer: header.word), in: .max) }
    }

    @Test("A frame with less than its type needs is refused", arguments: [FrameType.open, .opened, .refused, .window, .ping, .pong])
    func tooShort(type: FrameType) {
        #expect(throws: FrameError.self) {
            try read(ByteBuffer(integer: FrameHeader(length: 0, type: type.rawValue, stream: 1).word), in: .max)
        }
    }

    @Test("A refusal has a status of an error, and a reason fit for one line")
    func refusal() throws {
        var bytes = ByteBuffer()
        bytes.writeInteger(FrameHeader(length: 7, type: FrameType.refused.rawValue, stream: 1).word)
        bytes.writeInteger(UInt16(200))
        bytes.writeString("a\r\nb\u{7}")
        #expect(try read(bytes, in: .max) == [.refused(stream: 1, DialFailure(status: 502, reason: "a  b?"))])
    }
}

@Suite("How much a stream's reader grants")
struct ReceiveWindowTests {
    private let roundTrip = TimeAmount.milliseconds(10)
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test("What was not granted is refused")
    func bound() {
        var window = ReceiveWindow(now: start)
        let isGranted = window.received(ReceiveWindow.initial)
        let isTooMuch = !window.received(1)
        #expect(isGranted && isTooMuch)
    }

    @Test("Half a window is granted at a time")
    func halves() {
        var window = ReceiveWindow(now: start)
        let half = ReceiveWindow.initial / 2
        _ = window.received(half)
        let first = window.passedOn(half - 1, now: start + .seconds(1), roundTrip: roundTrip, mayGrow: true)
        let second = window.passedOn(1, now: start + .seconds(1), roundTrip: roundTrip, mayGrow: true)
        #expect(first == 0)
        #expect(second == half)
        #expect(window.credit == ReceiveWindow.initial)
    }

    @Test("A reader that uses its window up within two round trips gets twice as much, up to the limit")
    func growth() {
        var window = ReceiveWindow(now: start)
        var now = start
        for _ in 0..<20 {
            let half = window.size / 2
            _ = window.received(half)
            now = now + .milliseconds(5)
            _ = window.passedOn(half, now: now, roundTrip: roundTrip, mayGrow: true)
            #expect(window.credit == window.size)
        }
        #expect(window.size == ReceiveWindow.maximum)
    }

    @Test("No growth for a slow sender, for a reader that stalls, or when all streams together have grown enough")
    func noGrowth() {
        let half = ReceiveWindow.initial / 2
        var slow = ReceiveWindow(now: start)
        _ = slow.received(half)
        let slowGrant = slow.passedOn(half, now: start + .milliseconds(21), roundTrip: roundTrip, mayGrow: true)
        #expect(slowGrant == half)
        var stalled = ReceiveWindow(now: start)
        _ = stalled.received(half)
        stalled.readerStalled()
        let stalledGrant = stalled.passedOn(half, now: start + .milliseconds(1), roundTrip: roundTrip, mayGrow: true)
        #expect(stalledGrant == half)
        var bounded = ReceiveWindow(now: start)
        _ = bounded.received(half)
        let boundedGrant = bounded.passedOn(half, now: start + .milliseconds(1), roundTrip: roundTrip, mayGrow: false)
        #expect(boundedGrant == half)
    }
}

@Suite("Whether the other end is alive")
struct LivenessTests {
    @Test("It is pinged at once, then when it is silent, and dead after 15 s without a word")
    func life() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var liveness = Liveness(now: start)
        let looks = [0, 6, 9, 10, 20].map { (seconds: Int64) in
            if seconds == 6 { liveness.heard(at: start + .seconds(5)) }
            return liveness.look(at: start + .seconds(seconds))
        }
        #expect(looks == [.ping(1), .wait, .ping(2), .wait, .dead(seconds: 15)])
    }

    @Test("The round trip is the shortest that an answer to the last ping took")
    func roundTrip() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var liveness = Liveness(now: start)
        var seen: [TimeAmount] = []
        func answer(_ token: UInt64, after time: TimeAmount, of ping: NIODeadline) {
            liveness.answered(token, at: ping + time)
            seen.append(liveness.roundTrip)
        }
        _ = liveness.look(at: start)
        answer(7, after: .milliseconds(3), of: start)
        answer(1, after: .milliseconds(50), of: start)
        _ = liveness.look(at: start + .seconds(6))
        answer(2, after: .milliseconds(40), of: start + .seconds(6))
        _ = liveness.look(at: start + .seconds(12))
        answer(3, after: .milliseconds(90), of: start + .seconds(12))
        #expect(seen == [.milliseconds(1), .milliseconds(50), .milliseconds(40), .milliseconds(40)])
    }
}
