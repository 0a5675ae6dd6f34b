/// Why a dial came to nothing, as the one who asked for it is told.
public struct DialFailure: Error, Hashable, Sendable {
    /// The HTTP status of the answer.
    public var status: Int
    /// One line for a person: kube-apiserver shows its users the status line and nothing else.
    public var reason: String

    public init(status: Int, reason: String) {
        self.status = status
        self.reason = OneLine.clean(reason)
    }
}

extension DialFailure: CustomStringConvertible {
    public var description: String { "\(status) \(reason)" }
}

extension DialFailure {
    static func badRequest(_ reason: String) -> DialFailure { .init(status: 400, reason: reason) }
    static func forbidden(_ reason: String) -> DialFailure { .init(status: 403, reason: reason) }
    static func badGateway(_ reason: String) -> DialFailure { .init(status: 502, reason: reason) }
    static func unavailable(_ reason: String) -> DialFailure { .init(status: 503, reason: reason) }
    /// The connection to the agent ended under the dial: another one may do better.
    static let lost = unavailable("the connection to the node's agent was lost")
    static func timeout(_ reason: String) -> DialFailure { .init(status: 504, reason: reason) }

    /// The same failure, with the target it concerns in front.
    func naming(_ target: Endpoint) -> DialFailure {
        self == .lost ? self : DialFailure(status: status, reason: "\(target): \(reason)")
    }
}
