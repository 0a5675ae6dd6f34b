import NIOCore
import NIOEmbedded

@testable import Tunnel

/// One end of a native connection, with a socket behind each of its streams, and an account of what it sends and is sent.
final class FuzzedCarrier {
    private struct Account {
        /// What this end may send, and has sent.
        var credit = 0
        var sent = 0
        /// What the other end may send, and has sent.
        var granted = 0
        var received = 0
        var hasFinished = false
        var isOver = false
    }

    private static let counters = TunnelCounters()

    private(set) var carrier: Carrier! = nil
    private(set) var sockets: [FuzzedSocket] = []
    /// Asked for by the other end, and not answered.
    private var asked: [CarrierStream] = []
    private var dials: [CarrierStream] = []
    /// What left and has not reached the other end.
    private(set) var onTheWay = ByteBuffer()
    private(set) var isClosed = false
    private(set) var closeError: (any Error)?
    private let loop: EmbeddedEventLoop
    private let channel: EmbeddedChannel
    private let watermark: Int
    /// Whether the other end is no carrier: what it sends is no pattern.
    private let isHostile: Bool
    private var accounts: [UInt32: Account] = [:]
    private var seen = FrameReader()
    private var given: FrameReader? = FrameReader()

    init(on loop: EmbeddedEventLoop, watermark: Int, isHostile: Bool = false) throws {
        self.loop = loop
        self.watermark = watermark
        self.isHostile = isHostile
        channel = EmbeddedChannel(loop: loop)
        carrier = Carrier(counters: Self.counters) { [unowned self] in happened($0) }
        try channel.pipeline.syncOperations.addHandler(carrier)
        _ = try channel.connect(to: SocketAddress(ipAddress: "10.0.0.1", port: 1))
    }

    private func happened(_ event: Carrier.Event) {
        switch event {
        case .asked(let stream, let target):
            check(asked.count <= NativeProtocol.maximumStreams, "\(asked.count) dials wait")
            check(!isClosed, "a dial of \(target) behind the end")
            asked.append(stream)
        case .closed(let error):
            check(!isClosed, "the connection ended twice")
            isClosed = true
            closeError = error
        case .control, .leaving: break
        }
    }

    // MARK: What its owner does

    func open() {
        guard carrier.isOpen, let target = Endpoint(host: "10.0.0.1", port: 80) else { return }
        var answers = 0
        dials.append(
            carrier.open(target, countReceived: nil) { [unowned self] result in
                answers += 1
                check(answers == 1, "a dial was answered twice")
                if case .success(let end) = result { attach(end) }
            })
    }

    private func attach(_ end: any RelayEnd) {
        guard let socket = try? FuzzedSocket(on: loop, checksPattern: !isHostile) else { return }
        sockets.append(socket)
        end.link(to: socket.end)
        socket.end.link(to: end)
    }

    func answer(_ index: Int, accept: Bool) {
        guard !asked.isEmpty else { return }
        let stream = asked.remove(at: index % asked.count)
        guard !stream.isEnded else { return }
        if accept {
            stream.accept(countReceived: nil)
            attach(stream)
        } else {
            stream.refuse(.badGateway("refused"))
        }
    }

    func answerAll() { while !asked.isEmpty { answer(0, accept: true) } }

    func step(_ input: inout Input, mayBreak: Bool, mayOpen: Bool = true) {
        switch input.byte() & 15 {
        case 0: if mayOpen { open() }
        case 1, 2: answer(Int(input.byte()), accept: input.byte() & 15 != 0)
        case 3: if !dials.isEmpty, mayBreak { dials[Int(input.byte()) % dials.count].abandon() }
        case 4: carrier.sendControl(.failed(revision: 1, reason: String(repeating: "x", count: Int(input.byte()))))
        case 5: loop.run()
        case 6: if mayBreak, input.byte() > 250 { carrier.close(reason: "enough") }
        default: if !sockets.isEmpty { sockets[Int(input.byte()) % sockets.count].step(&input, mayBreak: mayBreak) }
        }
        collect()
    }

    /// Ends the case.
    func close() {
        channel.close(promise: nil)
        loop.run()
        check(isClosed && carrier.streamCount == 0, "streams outlive their connection")
        for socket in sockets { socket.close() }
        loop.run()
        sockets = []
    }

    // MARK: The wire

    /// Takes what left, looks at it, and says whether there is room for more.
    func collect() {
        while let bytes = try? channel.readOutbound(as: ByteBuffer.self) {
            onTheWay.writeImmutableBuffer(bytes)
            seen.append(bytes)
            do throws(FrameError) { while let frame = try seen.next() { sent(frame) } } catch {
                fatalError("FINDING: this end sent what cannot be read: \(error)")
            }
        }
        // Answers, what was being written when it became too much, and one burst of each stream.
        let limit = PeerReadsNothing.limit + FrameReader.maximumData + watermark + 8 * FuzzedSocket.largestRead
        check(!isHostile || onTheWay.readableBytes <= limit, "\(onTheWay.readableBytes) bytes wait for a peer that does not read")
        tellWritability()
    }

    private func tellWritability() {
        let isWritable = onTheWay.readableBytes < watermark
        guard isWritable != channel.isWritable, !isClosed else { return }
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    /// Takes so many bytes off the way.
    func leave(_ count: Int) -> ByteBuffer {
        let part = onTheWay.readSlice(length: min(count, onTheWay.readableBytes)) ?? ByteBuffer()
        onTheWay.discardReadBytes()
        tellWritability()
        return part
    }

    /// What the other end sent, or a stranger.
    func arrive(_ bytes: ByteBuffer) {
        guard !isClosed else { return }
        // Nothing that it granted may be unknown here.
        loop.run()
        collect()
        account(bytes)
        channel.pipeline.fireChannelRead(bytes)
        channel.pipeline.fireChannelReadComplete()
        collect()
    }

    private func account(_ bytes: ByteBuffer) {
        guard var reader = given else { return }
        given = nil
        reader.append(bytes)
        while true {
            guard let frame = try? reader.next() else { break }
            switch frame {
            case .open(let id, let window, _): if accounts[id] == nil { accounts[id] = Account(credit: Int(window)) }
            case .opened(let id, let window): accounts[id]?.credit += Int(window)
            case .window(let id, let increment): accounts[id]?.credit += Int(increment)
            case .data(let id, let bytes): accounts[id]?.received += bytes.readableBytes
            default: break
            }
        }
        given = reader
    }

    private func sent(_ frame: Frame) {
        switch frame {
        case .open(let id, let window, _):
            check(accounts[id] == nil, "stream \(id) was opened twice")
            accounts[id] = Account(granted: Int(window))
        case .opened(let id, let window): change(id, "OPENED") { $0.granted += Int(window) }
        case .refused(let id, _): change(id, "REFUSED") { $0.isOver = true }
        case .data(let id, let bytes):
            change(id, "DATA") {
                check(!$0.hasFinished, "DATA behind FINISH")
                $0.sent += bytes.readableBytes
                check($0.sent <= $0.credit, "\($0.sent) bytes were sent where \($0.credit) were granted")
            }
        case .finish(let id):
            change(id, "FINISH") {
                check(!$0.hasFinished, "FINISH twice")
                $0.hasFinished = true
            }
        case .reset(let id): change(id, "RESET") { $0.isOver = true }
        case .window(let id, let increment):
            check(increment > 0, "a WINDOW of nothing")
            change(id, "WINDOW") {
                $0.granted += Int(increment)
                check($0.granted - $0.received <= 2 * ReceiveWindow.maximum, "a window of \($0.granted - $0.received) bytes")
            }
        default: break
        }
    }

    private func change(_ id: UInt32, _ what: String, _ body: (inout Account) -> Void) {
        guard var account = accounts[id] else { fatalError("FINDING: \(what) on stream \(id), which nobody opened") }
        check(!account.isOver, "\(what) on stream \(id), which is over")
        body(&account)
        accounts[id] = account
    }
}
