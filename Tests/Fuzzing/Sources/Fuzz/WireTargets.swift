import NIOCore

@testable import NodeAgent
@testable import Tunnel

extension Target {
    /// Parsers of bytes.
    static let wire = [
        Target("frames", seeds: WireSeeds.frames, run: frames),
        Target("packets", seeds: WireSeeds.packets, run: packets),
        Target("protobuf", seeds: WireSeeds.packets.map { Array($0.dropFirst(5)) }, run: protobuf),
        Target("netlink", seeds: WireSeeds.netlink, run: netlink),
        Target("http2-boundaries", seeds: WireSeeds.http2, run: http2Boundaries),
    ]

    @Sendable private static func frames(_ bytes: [UInt8]) {
        let whole = readFrames([bytes[...]])
        check(whole == readFrames(pieces(bytes)), "frames read in pieces are others: \(whole)")
        for frame in whole.frames where frame != .unknown {
            var again = ByteBuffer()
            again.writeFrame(frame)
            // A text that was not UTF-8 may have grown beyond what a frame holds.
            if case .open = frame, again.readableBytes > FrameReader.maximumOther { continue }
            check(readFrames([Array(again.readableBytesView)[...]]).frames == [frame], "\(frame) is not what it is when written")
        }
    }

    /// The frames, DATA of one stream put together, and the error behind them.
    private struct Frames: Equatable {
        var frames: [Frame] = []
        var error: FrameError?
    }

    private static func readFrames(_ pieces: [ArraySlice<UInt8>]) -> Frames {
        var reader = FrameReader()
        var result = Frames()
        do throws(FrameError) {
            for piece in pieces {
                reader.append(ByteBuffer(bytes: piece))
                while let frame = try reader.next() {
                    if case .data(let stream, let more) = frame, case .data(stream, var sofar)? = result.frames.last {
                        sofar.writeImmutableBuffer(more)
                        result.frames[result.frames.count - 1] = .data(stream: stream, sofar)
                    } else {
                        result.frames.append(frame)
                    }
                }
            }
        } catch { result.error = error }
        return result
    }

    @Sendable private static func packets(_ bytes: [UInt8]) {
        let whole = readMessages([bytes[...]])
        let parts = readMessages(pieces(bytes))
        check(whole.messages == parts.messages && whole.failed == parts.failed, "messages read in pieces are others")
        for message in whole.messages { readPacket(message) }
    }

    @Sendable private static func protobuf(_ bytes: [UInt8]) { readPacket(ByteBuffer(bytes: bytes)) }

    private static func readMessages(_ pieces: [ArraySlice<UInt8>]) -> (messages: [ByteBuffer], failed: Bool) {
        var reader = GRPCMessageReader()
        var messages: [ByteBuffer] = []
        var fed = 0
        var taken = 0
        do throws(GRPCMessageError) {
            for piece in pieces {
                reader.append(ByteBuffer(bytes: piece))
                fed += piece.count
                while let message = try reader.next() {
                    messages.append(message)
                    taken += GRPCMessage.prefixLength + message.readableBytes
                }
                check(reader.bufferedBytes == fed - taken, "\(reader.bufferedBytes) bytes are held, not \(fed - taken)")
            }
            return (messages, false)
        } catch { return (messages, true) }
    }

    private static func readPacket(_ message: ByteBuffer) {
        guard let packet = try? KonnectivityPacket(reading: message) else { return }
        if case .unknown = packet { return }
        var written = ByteBuffer()
        packet.write(to: &written)
        var reader = GRPCMessageReader()
        reader.append(written)
        guard let again = try? reader.next() else { fatalError("FINDING: \(packet) is no message when written") }
        check((try? reader.next()) == .some(nil), "there is something behind \(packet)")
        check((try? KonnectivityPacket(reading: again)) == packet, "\(packet) is not what it is when written")
    }

    @Sendable private static func http2Boundaries(_ bytes: [UInt8]) {
        let hasPreface = bytes.first == UInt8(ascii: "P")
        var ends = hasPreface ? [FrameBoundaries.preface] : []
        var start = ends.last ?? 0
        while start + 3 <= bytes.count {
            start += 9 + bytes[start..<(start + 3)].reduce(0) { $0 << 8 | Int($1) }
            ends.append(start)
        }
        var boundaries = FrameBoundaries(afterPreface: hasPreface)
        for piece in pieces(bytes) {
            let end = piece.startIndex + boundaries.lastEnd(in: ByteBuffer(bytes: piece).readableBytesView)
            let expected = ends.last { $0 <= piece.endIndex } ?? 0
            check(end == max(expected, piece.startIndex), "a frame ends at \(expected), not at \(end)")
        }
    }

    @Sendable private static func netlink(_ bytes: [UInt8]) {
        for message in NetlinkMessage.decode(bytes) {
            check(NetlinkMessage.decode(message.encoded) == [message], "\(message) is not what it is when written")
            _ = message.errorCode
            if let address = InterfaceAddress(message) {
                var again = message
                again.payload = address.payload
                check(InterfaceAddress(again) == address, "\(address) is not what it is when written")
            }
            if let route = KernelRoute(message), route.table == UInt32(Netlink.tableMain) {
                var again = message
                again.payload = route.payload()
                check(KernelRoute(again) == route, "\(route) is not what it is when written")
            }
        }
    }
}

private enum WireSeeds {
    static let frames: [[UInt8]] = {
        let all: [Frame] = [
            .open(stream: 1, window: 262_144, target: "10.0.0.1:10250"), .opened(stream: 1, window: 7),
            .refused(stream: 2, DialFailure(status: 504, reason: "timed out")), .data(stream: 9, ByteBuffer(string: "bytes")),
            .data(stream: 9, ByteBuffer()), .finish(stream: 3), .reset(stream: 4), .window(stream: 5, increment: .max), .ping(9),
            .pong(.max), .leaving(reason: "the server is stopping"), .control(ByteBuffer(string: "confirm 7\n")),
        ]
        return eachAndAll(all.map { frame in written { $0.writeFrame(frame) } })
    }()

    static let packets: [[UInt8]] = {
        let all: [KonnectivityPacket] = [
            .dialRequest(network: "tcp", address: "10.0.0.1:10250", random: 5_577_006_791_947_779_410),
            .dialResponse(random: -1, connectID: 7, error: ""), .dialResponse(random: 9, connectID: 0, error: "refused"),
            .closeRequest(connectID: 7), .closeResponse(connectID: 7, error: "gone"), .data(connectID: 7, ByteBuffer(string: "bytes")),
            .closeDial(random: 9), .drain,
        ]
        return eachAndAll(all.map { packet in written { packet.write(to: &$0) } })
    }()

    static let netlink: [[UInt8]] = {
        var all: [NetlinkMessage] = []
        func add(_ kind: UInt16, _ payload: [UInt8]) { all.append(NetlinkMessage(kind: kind, flags: 2, sequence: 1, payload: payload)) }
        for (network, gateway) in [("10.244.1.0/24", "192.168.9.12"), ("fd00:1::/64", "fd00::2")] {
            guard let block = AddressBlock(network), let via = IPAddress(gateway) else { continue }
            add(Netlink.Kind.newRoute, KernelRoute(destination: block, gateway: via, priority: 50, protocolNumber: 99).payload())
            add(Netlink.Kind.newAddress, InterfaceAddress(address: via, prefixLength: 24, scope: 0, interface: 2).payload)
        }
        add(Netlink.Kind.error, [0xf0, 0xff, 0xff, 0xff])
        add(Netlink.Kind.error, [0, 0, 0, 0x80])
        add(Netlink.Kind.done, [0, 0, 0, 0])
        return eachAndAll(all.map(\.encoded))
    }()

    static let http2: [[UInt8]] = {
        let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
        let data: [UInt8] = [0, 0, 5, 0, 0, 0, 0, 0, 1] + Array("bytes".utf8)
        return [settings, data, Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settings + data + data]
    }()

    private static func written(_ write: (inout ByteBuffer) -> Void) -> [UInt8] {
        var buffer = ByteBuffer()
        write(&buffer)
        return Array(buffer.readableBytesView)
    }

    private static func eachAndAll(_ inputs: [[UInt8]]) -> [[UInt8]] { inputs + [inputs.flatMap { $0 }] }
}
