import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP2

@testable import Tunnel

extension Target {
    /// Upstream's protocol.
    static let calls = [Target("konnectivity-server", seeds: walks, run: konnectivityServer)]

    /// The server's end of a call, sent whatever an agent could come up with.
    @Sendable private static func konnectivityServer(_ bytes: [UInt8]) {
        guard bytes.count > 4 else { return }
        var input = Input(bytes)
        guard let call = try? FuzzedCall(watermark: 1 << (8 + Int(input.byte() & 15))) else { fatalError("no channel") }
        while !input.isEmpty {
            switch input.byte() & 7 {
            case 0...2:
                var packets = ByteBuffer()
                for _ in 0...Int(input.byte() & 7) { call.hostilePacket(&input).write(to: &packets) }
                let times = packets.readableBytes < 256 && input.byte() == 0xff ? 1000 : 1
                for _ in 0..<times { call.arrive(packets) }
            case 3: call.arrive(ByteBuffer(bytes: input.take(Int(input.byte() & 31))), isLast: input.byte() == 0xff)
            case 4: call.leave(input.size(upTo: 1 << 20))
            default: call.step(&input)
            }
        }
        call.close()
    }
}

/// The server's end of an upstream agent's call, with a socket behind each connection.
private final class FuzzedCall: ChannelOutboundHandler {
    typealias OutboundIn = HTTP2Frame.FramePayload

    private static let counters = TunnelCounters()
    private static let zeros = ByteBuffer(repeating: 0, count: 1 << 20)

    private let loop = EmbeddedEventLoop()
    private let channel: EmbeddedChannel
    private let watermark: Int
    private var packets: PacketChannel! = nil
    private var connection: KonnectivityAgentConnection! = nil
    private var sockets: [FuzzedSocket] = []
    private var dials: [any PendingDial] = []
    /// The numbers of the dials that the agent was sent.
    private var asked: [Int64] = []
    /// Connections that there were; an agent may well use a number twice.
    private var opened: Set<Int64> = []
    private var reader = GRPCMessageReader()
    /// What left and the agent has not read.
    private var waiting = 0
    private var wantsRead = false
    private var isClosed = false

    init(watermark: Int) throws {
        self.watermark = watermark
        channel = EmbeddedChannel(loop: loop)
        packets = PacketChannel { [unowned self] in happened($0) }
        connection = KonnectivityAgentConnection(
            id: 1, identity: AgentIdentity(node: "a", notBefore: 0, notAfter: .max), agentID: "a", identifiers: AgentIdentifiers(),
            channel: packets, counters: Self.counters, logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        try channel.pipeline.syncOperations.addHandlers([self, packets])
        _ = try channel.connect(to: SocketAddress(ipAddress: "10.0.0.1", port: 1))
    }

    private func happened(_ event: PacketChannel.Event) {
        check(!isClosed, "\(event) behind the end")
        switch event {
        case .headers: break
        case .packet(let packet): connection.received(packet)
        case .readCompleted: connection.readCompleted()
        case .writable: connection.becameWritable()
        case .ended:
            packets.finish(.ok)
            connection.ended()
        case .closed:
            isClosed = true
            connection.ended()
        }
    }

    // MARK: What its owner does

    func step(_ input: inout Input) {
        switch input.byte() & 15 {
        case 0, 1: dial()
        case 2: if !dials.isEmpty, input.byte() & 3 == 0 { dials[Int(input.byte()) % dials.count].abandon() }
        case 3, 4: loop.run()
        case 5: loop.advanceTime(by: .seconds(Int64(input.byte() & 15)))
        default: if !sockets.isEmpty { sockets[Int(input.byte()) % sockets.count].step(&input, mayBreak: true) }
        }
    }

    private func dial() {
        guard let target = Endpoint(host: "10.0.0.1", port: 80) else { return }
        var answers = 0
        dials.append(
            connection.dial(target) { [unowned self] result in
                answers += 1
                check(answers == 1, "a dial was answered twice")
                guard case .success(let end) = result, let stream = end as? PacketStream else { return }
                opened.insert(stream.connectID)
                guard let socket = try? FuzzedSocket(on: loop, checksPattern: false) else { return }
                sockets.append(socket)
                stream.link(to: socket.end)
                socket.end.link(to: stream)
            })
    }

    /// Ends the case.
    func close() {
        channel.close(promise: nil)
        loop.run()
        check(isClosed && connection.isClosing, "a connection outlives its call")
        for socket in sockets { socket.close() }
        loop.run()
    }

    // MARK: The agent

    func hostilePacket(_ input: inout Input) -> KonnectivityPacket {
        let connectID = Int64(input.byte() % 7)
        let random = asked.isEmpty || input.byte() & 7 == 0 ? Int64(input.byte()) : asked[Int(input.byte()) % asked.count]
        switch input.byte() & 15 {
        case 0...3: return .dialResponse(random: random, connectID: connectID, error: input.byte() & 7 == 0 ? "no" : "")
        case 4...8: return .data(connectID: connectID, Self.zeros.getSlice(at: 0, length: input.size(upTo: 1 << 20)) ?? ByteBuffer())
        case 9, 10: return .closeResponse(connectID: connectID, error: input.flag() ? "no" : "")
        case 11: return .closeRequest(connectID: connectID)
        case 12: return .closeDial(random: random)
        case 13: return .dialRequest(network: "tcp", address: "10.0.0.1:80", random: random)
        case 14: return .data(connectID: connectID, ByteBuffer())
        default: return .drain
        }
    }

    /// HTTP/2 lets nothing come that is not read.
    func arrive(_ bytes: ByteBuffer, isLast: Bool = false) {
        guard wantsRead, !isClosed else { return }
        wantsRead = false
        channel.pipeline.fireChannelRead(HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(bytes), endStream: isLast)))
        channel.pipeline.fireChannelReadComplete()
    }

    func leave(_ count: Int) {
        loop.run()
        waiting -= min(count, waiting)
        tellWritability()
    }

    private func tellWritability() {
        let isWritable = waiting < watermark
        guard isWritable != channel.isWritable, !isClosed else { return }
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    // MARK: The channel

    func read(context: ChannelHandlerContext) { wantsRead = true }
    func flush(context: ChannelHandlerContext) {}

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        defer { promise?.succeed() }
        guard case .data(let frame) = unwrapOutboundIn(data), case .byteBuffer(let bytes) = frame.data else { return }
        waiting += bytes.readableBytes
        let limit = PeerReadsNothing.limit + watermark + (2 << 20) + sockets.count * FuzzedSocket.largestRead
        check(waiting <= limit, "\(waiting) bytes wait for an agent that does not read")
        reader.append(bytes)
        do {
            while let message = try reader.next() { sent(try KonnectivityPacket(reading: message)) }
        } catch { fatalError("FINDING: the server sent what cannot be read: \(error)") }
        tellWritability()
    }

    private func sent(_ packet: KonnectivityPacket) {
        switch packet {
        case .dialRequest(_, _, let random): asked.append(random)
        case .data(let connectID, let bytes):
            check(opened.contains(connectID), "DATA on connection \(connectID), which was never opened")
            check(bytes.readableBytes <= KonnectivityProtocol.chunk, "\(bytes.readableBytes) bytes in one packet")
        case .closeRequest, .closeDial: break
        default: fatalError("FINDING: a server says \(packet)")
        }
    }
}
