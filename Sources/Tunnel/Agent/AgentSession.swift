import Logging
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// The agent's end of one native connection: answers CONNECT streams by dialling, and follows the control stream.
final class AgentSession: Sendable {
    let channel: any Channel
    private let connector: TargetConnector
    private let onState: @Sendable (UInt64, NodeState, AgentSession) -> Void
    private let counters: TunnelCounters
    private let logger: Logger
    private let ending = Mutex<String?>(nil)
    private let control = Mutex<(any Channel)?>(nil)
    private let openStreams = Atomic<Int>(0)

    /// An element each time the certificate is to be looked at; ends with the connection.
    let looks: AsyncStream<Void>
    private let lookInterval: TimeAmount
    private let looking: AsyncStream<Void>.Continuation

    init(
        channel: any Channel, connector: TargetConnector, lookInterval: Duration, counters: TunnelCounters, logger: Logger,
        onState: @escaping @Sendable (UInt64, NodeState, AgentSession) -> Void
    ) {
        self.channel = channel
        self.connector = connector
        self.counters = counters
        self.logger = logger
        self.onState = onState
        self.lookInterval = TimeAmount(lookInterval)
        (looks, looking) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Adds the handlers; on the event loop, once TLS is up.
    func start() throws {
        _ = try NativeSession.install(
            on: channel, mode: .server,
            onEnd: { event in
                switch event {
                case .leaving(let words): self.ending.withLock { if $0 == nil { $0 = words } }
                case .closed(let error): if let error { self.ending.withLock { if $0 == nil { $0 = "\(error)" } } }
                }
            },
            inboundStream: { self.initialize($0) })
        let timer = channel.eventLoop.scheduleRepeatedTask(initialDelay: lookInterval, delay: lookInterval) { _ in self.looking.yield() }
        channel.closeFuture.whenComplete { _ in
            timer.cancel()
            self.looking.finish()
        }
    }

    /// Why the connection ended.
    var endReason: String { ending.withLock { $0 } ?? "the server closed the connection" }

    /// Answers a state that the server sent.
    func send(_ message: ControlMessage) {
        guard let stream = control.withLock({ $0 }) else { return }
        stream.writeAndFlush(ByteBuffer(string: message.text), promise: nil)
    }

    /// Takes no new stream, waits for the open ones as long as it may, and closes.
    func drain(within limit: Duration?) async {
        let goAway = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: ByteBuffer(string: "the agent is leaving")))
        channel.writeAndFlush(goAway, promise: nil)
        let end = limit.map { ContinuousClock.now.advanced(by: $0) }
        while openStreams.load(ordering: .relaxed) > 0, channel.isActive, end.map({ ContinuousClock.now < $0 }) ?? true {
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { break }
        }
        try? await channel.close()
    }

    // MARK: Streams

    private func initialize(_ stream: any Channel) -> EventLoopFuture<Void> {
        stream.eventLoop.makeCompletedFuture {
            try stream.syncOptions?.setOption(ChannelOptions.autoRead, value: false)
            let answer = NIOLoopBoundBox<StreamBytes?>(nil, eventLoop: stream.eventLoop)
            let bytes = StreamBytes(
                onHeaders: { headers in
                    guard let bytes = answer.value else { return .end }
                    return self.serve(headers, on: stream, bytes: bytes)
                }, onInactive: { answer.value = nil })
            answer.value = bytes
            try stream.pipeline.syncOperations.addHandler(bytes)
        }
    }

    private func serve(_ headers: HPACKHeaders, on stream: any Channel, bytes: StreamBytes) -> StreamBytes.Verdict {
        switch (headers.first(name: ":method"), headers.first(name: ":path")) {
        case ("CONNECT", _):
            return connect(to: headers.first(name: ":authority") ?? "", on: stream, bytes: bytes)
        case ("POST", NativeProtocol.controlPath):
            return follow(stream, bytes: bytes)
        default:
            bytes.send([":status": "404"], endStream: true)
            return .proceed
        }
    }

    private func connect(to authority: String, on stream: any Channel, bytes: StreamBytes) -> StreamBytes.Verdict {
        guard let target = Endpoint(authority) else {
            refuse(bytes, .badRequest("the target is not HOST:PORT"))
            return .proceed
        }
        openStreams.wrappingAdd(1, ordering: .relaxed)
        let counters = counters
        let near = RelayEnd(.stream) { counters.bytesToNodes.add($0) }
        do {
            try stream.pipeline.syncOperations.addHandler(near)
        } catch {
            refuse(bytes, .badGateway("\(error)"))
            return .proceed
        }
        stream.closeFuture.whenComplete { _ in self.openStreams.wrappingSubtract(1, ordering: .relaxed) }
        let nearPeer = RelayPeer(near, on: stream.eventLoop)
        let farPeer = NIOLoopBoundBox<RelayPeer?>(nil, eventLoop: stream.eventLoop)
        let bytes = NIOLoopBound(bytes, eventLoop: stream.eventLoop)
        connector.connect(target, on: stream.eventLoop) { channel in
            channel.eventLoop.makeCompletedFuture {
                let far = RelayEnd(.socket) { counters.bytesFromNodes.add($0) }
                try channel.pipeline.syncOperations.addHandler(far)
                farPeer.value = RelayPeer(far, on: channel.eventLoop)
            }
        }.whenComplete { result in
            switch result {
            case .success(let channel):
                guard stream.isActive, let farPeer = farPeer.value else {
                    channel.close(promise: nil)
                    return
                }
                counters.dialsSucceeded.add(1)
                bytes.value.send([":status": "200"])
                farPeer.call { $0.link(to: nearPeer) }
                nearPeer.call { $0.link(to: farPeer) }
            case .failure(let error):
                counters.dialsFailed.add(1)
                self.refuse(bytes.value, error as? DialFailure ?? .badGateway("\(error)"))
            }
        }
        return .proceed
    }

    private func refuse(_ bytes: StreamBytes, _ failure: DialFailure) {
        bytes.send([":status": "\(failure.status)", NativeProtocol.causeHeader: failure.reason], endStream: true)
    }

    private func follow(_ stream: any Channel, bytes: StreamBytes) -> StreamBytes.Verdict {
        let reader = ControlReader(
            onMessage: { message in
                if case .state(let revision, let state) = message { self.onState(revision, state, self) }
            },
            onFailure: { error in
                self.logger.warning("the control stream could not be followed", metadata: ["error": "\(error)"])
                self.channel.close(promise: nil)
            })
        do {
            try stream.pipeline.syncOperations.addHandler(reader)
            try stream.syncOptions?.setOption(ChannelOptions.autoRead, value: true)
        } catch {
            return .end
        }
        bytes.send([":status": "200"])
        control.withLock { $0 = stream }
        stream.read()
        return .proceed
    }
}
