import Logging
import NIOCore
import Synchronization

/// The agent's end of one native connection: dials what the server asks for, and follows the control messages.
///
/// Its event loop does the work; its owner, a task, asks how it stands from outside.
final class AgentSession: Sendable {
    let channel: any Channel
    private let connector: TargetConnector
    private let counters: TunnelCounters
    private let logger: Logger
    private let onMessage: @Sendable (ControlMessage, AgentSession) -> Void
    private let ending = Mutex<String?>(nil)
    private let openStreams = Atomic<Int>(0)
    private let leaving = Atomic<Bool>(false)
    private let serverIsLeaving = Atomic<Bool>(false)
    private let isIntroduced = Atomic<Bool>(false)
    private let parts: NIOLoopBoundBox<Parts>

    /// What lives on the event loop.
    private struct Parts {
        let limits: DialLimits
        var carrier: Carrier?
    }

    /// Whether the server said that it will stop.
    var isEnding: Bool { serverIsLeaving.load(ordering: .relaxed) }

    /// Notes that the server has said who it is. True the first time.
    func noteIntroduction() -> Bool { !isIntroduced.exchange(true, ordering: .relaxed) }

    /// An element each time the certificate is to be looked at, and when the server is leaving; ends with the connection.
    let looks: AsyncStream<Void>
    private let lookInterval: TimeAmount
    private let looking: AsyncStream<Void>.Continuation

    init(
        channel: any Channel, connector: TargetConnector, limits: DialLimits, lookInterval: Duration, counters: TunnelCounters,
        logger: Logger,
        onMessage: @escaping @Sendable (ControlMessage, AgentSession) -> Void
    ) {
        self.channel = channel
        self.connector = connector
        self.counters = counters
        self.logger = logger
        self.onMessage = onMessage
        self.lookInterval = TimeAmount(lookInterval)
        parts = NIOLoopBoundBox(Parts(limits: limits), eventLoop: channel.eventLoop)
        (looks, looking) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Adds the handler; on the event loop, once TLS is up.
    func start() throws {
        let carrier = Carrier(counters: counters) { self.handle($0) }
        parts.value.carrier = carrier
        try channel.pipeline.syncOperations.addHandler(carrier)
        let timer = channel.eventLoop.scheduleRepeatedTask(initialDelay: lookInterval, delay: lookInterval) { _ in self.looking.yield() }
        channel.closeFuture.whenComplete { _ in
            timer.cancel()
            self.looking.finish()
        }
    }

    private func handle(_ event: Carrier.Event) {
        switch event {
        case .asked(let stream, let target): connect(stream, to: target)
        case .control(let message): onMessage(message, self)
        case .leaving(let words):
            end(words)
            serverIsLeaving.store(true, ordering: .relaxed)
            looking.yield()
        case .closed(let error):
            if let error { end("\(error)") }
            if let error = error as? FrameError { logger.warning("the server broke the protocol", metadata: ["error": "\(error)"]) }
            parts.value.carrier = nil
        }
    }

    private func end(_ reason: String) { ending.withLock { if $0 == nil { $0 = reason } } }

    /// Why the connection ended.
    var endReason: String { ending.withLock { $0 } ?? "the server closed the connection" }

    /// Answers a state that the server sent.
    func send(_ message: ControlMessage) { channel.eventLoop.execute { self.parts.value.carrier?.sendControl(message) } }

    /// Takes no new connection, waits for the open ones as long as it may, and closes.
    func drain(within limit: Duration?) async {
        leaving.store(true, ordering: .relaxed)
        channel.eventLoop.execute { self.parts.value.carrier?.write(.leaving(reason: "the agent is leaving")) }
        await wait(within: limit) { self.openStreams.load(ordering: .relaxed) == 0 }
        try? await channel.close()
    }

    /// Waits for the server, which is leaving, to close.
    func outlast() async {
        await wait(within: nil) { false }
        try? await channel.close()
    }

    private func wait(within limit: Duration?, until condition: () -> Bool) async {
        let end = limit.map { ContinuousClock.now.advanced(by: $0) }
        while channel.isActive, !condition(), end.map({ ContinuousClock.now < $0 }) ?? true {
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
        }
    }

    // MARK: Streams

    private func connect(_ stream: CarrierStream, to text: String) {
        // What was asked before the server knew: it asks another agent.
        guard !leaving.load(ordering: .relaxed) else { return stream.partnerReset() }
        guard let target = Endpoint(text) else { return stream.refuse(.badRequest("the target is not HOST:PORT")) }
        let limits = parts.value.limits
        do { try limits.beginDial(to: target) } catch { return stream.refuse(error) }
        let asked = NIODeadline.now()
        openStreams.wrappingAdd(1, ordering: .relaxed)
        let counters = counters
        let far = SocketEnd { counters.bytesFromNodes.add($0) }
        let bound = NIOLoopBound(far, eventLoop: channel.eventLoop)
        let connected = connector.connect(target, on: channel.eventLoop) { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
        }
        connected.assumeIsolated().whenComplete { result in
            limits.endDial(to: target)
            switch result {
            case .success(let channel):
                limits.opened()
                channel.closeFuture.assumeIsolated().whenComplete { _ in
                    limits.closed()
                    self.openStreams.wrappingSubtract(1, ordering: .relaxed)
                }
                guard !stream.isEnded else { return channel.close(promise: nil) }
                counters.dialSucceeded(after: .now() - asked)
                stream.accept { counters.bytesToNodes.add($0) }
                stream.link(to: far)
                far.link(to: stream)
            case .failure(let error):
                self.openStreams.wrappingSubtract(1, ordering: .relaxed)
                counters.dialFailed(after: .now() - asked)
                stream.refuse(error as? DialFailure ?? .badGateway("\(error)"))
            }
        }
    }
}
