import NIOCore

/// What goes over Konnectivity's streams, between kube-apiserver and proxy-server as between proxy-server and proxy-agent: the
/// `Packet` of `client.proto`.
///
/// The side that wants a connection is the dialer. It sends DIAL_REQ with a random number of its own choice, and DIAL_RSP names that
/// number beside an error, or beside the connection's id, which is the other side's choice. From then on the id tells connections
/// apart. CLOSE_REQ is the dialer's end, CLOSE_RSP the other's, asked for or not; there is no half-close and no window.
enum KonnectivityPacket: Equatable {
    case dialRequest(network: String, address: String, random: Int64)
    /// Either an error or an id that is not nought.
    case dialResponse(random: Int64, connectID: Int64, error: String)
    case closeRequest(connectID: Int64)
    case closeResponse(connectID: Int64, error: String)
    case data(connectID: Int64, ByteBuffer)
    /// The dialer no longer waits for the answer to a DIAL_REQ.
    case closeDial(random: Int64)
    /// The agent is about to leave: others are preferred for new dials.
    case drain
    /// Of a later version.
    case unknown(type: Int32)
}

extension KonnectivityPacket {
    enum Kind {
        static let dialRequest: Int32 = 0
        static let dialResponse: Int32 = 1
        static let closeRequest: Int32 = 2
        static let closeResponse: Int32 = 3
        static let data: Int32 = 4
        static let closeDial: Int32 = 5
        static let drain: Int32 = 6
    }

    /// The field of `Packet` that holds the payload of each kind: kind + 2, but for the pairs that the two lists order differently.
    enum Field {
        static let kind: UInt8 = 1
        static let dialRequest: UInt8 = 2
        static let dialResponse: UInt8 = 3
        static let data: UInt8 = 4
        static let closeRequest: UInt8 = 5
        static let closeResponse: UInt8 = 6
        static let closeDial: UInt8 = 7
        static let drain: UInt8 = 8
    }
}
