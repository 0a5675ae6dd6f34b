import NIOCore

/// A connected agent, whatever transport it speaks.
protocol NodeConnection: Sendable {
    var id: UInt64 { get }
    var identity: AgentIdentity { get }
    /// True from the moment its end is known or asked for: no new dial goes here.
    var isClosing: Bool { get }
    /// Asks the agent to dial.
    func dial(_ target: Endpoint) -> PendingDial
    /// Says why and ends it, with all that it carries.
    func close(reason: String)
    var publication: ControlPublication { get }
    /// Tells the agent what has changed since it was told last.
    func publish(_ state: NodeState)
}

/// A dial under way.
struct PendingDial: Sendable {
    /// The end of the relay in the agent's direction, or a `DialFailure`.
    let result: EventLoopFuture<RelayPeer>
    private let abandon: @Sendable () -> Void

    init(result: EventLoopFuture<RelayPeer>, abandon: @escaping @Sendable () -> Void) {
        self.result = result
        self.abandon = abandon
    }

    /// The one who asked is gone: the agent need not go on.
    func cancel() { abandon() }
}

/// What a front end asks to reach a target.
protocol Dialer: Sendable {
    func dial(_ target: Endpoint, on eventLoop: any EventLoop) -> PendingDial
}
