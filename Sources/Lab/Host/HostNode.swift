/// A node of the host cluster: the embedded one, which is the lab's own namespaces, or a booted machine.
struct HostNode: Codable, Sendable, Equatable {
    /// From 1, which is the embedded one.
    var number: Int
    /// Of the Node, and of the machine where it is one.
    var name: String
    var address: String
    /// The network of its pods.
    var pods: String
    /// What systemd runs on it, where it is a machine.
    var components: [ComponentSpec] = []

    static let most = 3

    var isEmbedded: Bool { number == 1 }

    /// Each is a zone of its own.
    var zone: String { "zone-\(number)" }

    /// How many pods there is room for beside the network's own addresses; nil where the kubelet's own limit is lower.
    var mostPods: Int? { isEmbedded ? nil : 55 }

    static func embedded(name: String, in plan: AddressPlan, of count: Int = 1) -> HostNode {
        HostNode(number: 1, name: name, address: "\(plan.host)", pods: "\(plan.pods(ofHostNode: 1, of: count))")
    }

    /// All of a lab that has that many.
    static func all(_ count: Int, embedded name: String, in plan: AddressPlan) -> [HostNode] {
        [embedded(name: name, in: plan, of: count)]
            + (2...max(count, 2)).prefix(count - 1).map { number in
                HostNode(
                    number: number, name: "host-\(number)", address: "\(plan.hostNode(number))",
                    pods: "\(plan.pods(ofHostNode: number, of: count))")
            }
    }
}
