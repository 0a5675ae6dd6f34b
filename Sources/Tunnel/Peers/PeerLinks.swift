import Logging
import NIOCore

/// The links to the other servers of this control plane.
final class PeerLinks {
    private var links: [Peer: PeerLink] = [:]
    /// To those that have said that they will stop, until they do.
    private var retired: [PeerLink] = []
    private let makeLink: (Peer) -> PeerLink

    init(makeLink: @escaping (Peer) -> PeerLink) { self.makeLink = makeLink }

    /// Links to those that are new, and lets go of those that are gone.
    func update(_ peers: Set<Peer>) {
        for (peer, link) in links where !peers.contains(peer) {
            link.retire()
            retired.append(link)
            links[peer] = nil
        }
        retired.removeAll { $0.connection == nil }
        for peer in peers where links[peer] == nil { links[peer] = makeLink(peer) }
    }

    func stop() {
        for link in links.values + retired { link.stop(reason: "the server is stopping") }
        links = [:]
        retired = []
    }

    /// A peer that holds the node, or with nil any node, and was not tried yet; one that is about to stop only when there is no other.
    func connection(holding node: String?, excluding tried: Set<UInt64>) -> PeerConnection? {
        let able = (links.values + retired).compactMap(\.connection).filter { connection in
            !connection.isClosing && !tried.contains(connection.id)
                && node.map { connection.nodes.contains($0) } ?? !connection.nodes.isEmpty
        }
        return able.first { !$0.isLeaving } ?? able.first
    }
}
