/// What carries dials: an agent's connection, or a peer's.
protocol DialCarrier: AnyObject {
    /// No two have the same.
    var id: UInt64 { get }
    /// True from the moment its end is known or asked for: no new dial goes here.
    var isClosing: Bool { get }
    /// Asks the other end to dial. Fails with `DialFailure.lost` when the connection ends before the answer.
    func dial(_ target: Endpoint, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void) -> any PendingDial
}

/// A connected agent, whatever transport it speaks.
protocol NodeConnection: DialCarrier {
    var identity: AgentIdentity { get }
    /// Says why and ends it, with all that it carries.
    func close(reason: String)
    var publication: ControlPublication { get }
    /// Tells the agent what has changed since it was told last.
    func publish(_ state: NodeState)
    /// Tells the agent who this server is, and how many there are.
    func introduce(serverID: String, serverCount: Int)
    /// Tells the agent that this server will stop: it had better connect to another one too.
    func leave(reason: String)
    /// What upstream's strategies go by.
    var candidate: ProxyCandidate { get }
}
