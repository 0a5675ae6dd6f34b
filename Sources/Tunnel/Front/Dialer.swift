/// What a front end asks to reach a target. On the tunnel's event loop only.
protocol Dialer: AnyObject {
    /// Asks for a connection. `answer` is called once, never before `dial` has returned, and never after the dial was abandoned.
    func dial(_ target: Endpoint, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void) throws(DialFailure) -> any PendingDial
}

/// A dial under way.
protocol PendingDial: AnyObject {
    /// The one who asked is gone: nobody need go on.
    func abandon()
}
