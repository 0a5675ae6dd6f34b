import Logging
import NIOCore

/// The links to the other servers of this control plane.
final class PeerLinks {
    private var links: [Peer: PeerLink] = [:]
    private let makeLink: (Peer) -> PeerLink

    init(makeLink: @escaping (Peer) -> PeerLink) { self.makeLink = makeLink }

    /// Links to those that are new, and lets go of those that are gone.
    func update(_ peers: Set<Peer>) {
        for (peer, link) in links where !peers.contains(peer) {
            link.stop(reason: "no longer a peer")
            links[peer] = nil
        }
        for peer in peers where links[peer] == nil { links[peer] = makeLink(peer) }
    }

    func stop() {
        for link in links.values { link.stop(reason: "the server is stopping") }
        links = [:]
    }

    /// A peer that holds the node, or with nil any node, and was not tried yet.
    func connection(holding node: String?, excluding tried: Set<UInt64>) -> PeerConnection? {
        links.values.lazy.compactMap(\.connection).first { connection in
            !connection.isClosing && !tried.contains(connection.id)
                && node.map { connection.nodes.contains($0) } ?? !connection.nodes.isEmpty
        }
    }
}
