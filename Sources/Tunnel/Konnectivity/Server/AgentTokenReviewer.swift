import NIOCore

/// Finds out whether a bearer token is an agent's. Where there is one, agents need no client certificate.
public protocol AgentTokenReviewer: Sendable {
    /// Fails with the reason why the token is refused.
    func review(_ token: String, on eventLoop: any EventLoop) -> EventLoopFuture<Void>
}

/// A token that is no agent's.
public struct AgentTokenRefused: Error, Hashable, Sendable, CustomStringConvertible {
    public var reason: String
    public var description: String { "the agent's token was refused: \(reason)" }

    public init(reason: String) { self.reason = reason }
}
