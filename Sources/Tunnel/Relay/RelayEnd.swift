import NIOCore

/// One end of a relayed connection, as its partner at the other end calls it.
///
/// Both ends live on one event loop and are called on it alone. What is called when, `RelayState` says.
package protocol RelayEnd: AnyObject {
    /// The partner is there: what was held back for it goes on.
    func link(to partner: any RelayEnd)
    /// The partner read these.
    func partnerSent(_ batch: [ByteBuffer])
    /// The partner passed on this many batches and has room for more.
    func partnerTook(_ batches: Int)
    /// The partner will read nothing more: a half-close.
    func partnerFinished()
    /// The partner is gone after it had ended well.
    func partnerGone()
    /// The partner broke off.
    func partnerReset()
    /// What the partner sent and this end has not got rid of, as far as it knows: less of it means that somebody reads.
    var unwrittenBytes: Int { get }
}

extension RelayEnd {
    package var unwrittenBytes: Int { 0 }
}
