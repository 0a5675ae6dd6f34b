import ControlPlane
import Foundation
import KubernetesAPI
import NestboxAPI
import NodeJoin

/// How kubeadm's nodes are to find their cluster; made where it lets these join.
struct KubeadmJoin: Equatable, Sendable {
    var network: NetworkSpec
    var endpoints: PublishedEndpoints

    init?(_ settings: ClusterSettings, endpoints: PublishedEndpoints) {
        guard settings.allowsKubeadmJoin, endpoints.isComplete, let network = settings.spec.network else { return nil }
        self.init(network: network, endpoints: endpoints)
    }

    init(network: NetworkSpec, endpoints: PublishedEndpoints) {
        self.network = network
        self.endpoints = endpoints
    }
}

/// What is to be written of the nodes that kubeadm joined. Pure.
///
/// A node is recorded when it was given a certificate. What it carries is recorded once, when its Node comes: of its addresses those that
/// nobody else has, and a part of the pod network from the end that pools do not take from. It is forgotten with its Node.
struct KubeadmNodesDecision: Equatable {
    /// How long a name is kept for who was given its certificate and does not come.
    static let patience: TimeInterval = 3600

    var records: [NodeRecord] = []
    var forgotten: [String] = []
    /// The pod network of each Node that `nestbox-node` is to run on, which its Node is to say.
    var podCIDRs: [String: String] = [:]
    /// What cannot be done, in a sentence each.
    var problems: [String] = []
    /// When somebody's patience ends.
    var lookAgain: Date?

    /// - Parameters:
    ///   - records: of every node.
    ///   - nodes: all that there are.
    init(_ join: KubeadmJoin, records: [NodeRecord], nodes: [Node], now: Date) {
        var networks = PodNetworks(
            clusterCIDR: join.network.pods ?? "", taken: records.map(\.podCIDR) + nodes.compactMap { $0.spec?.podCIDR })
        var taken = Set(records.flatMap(\.addresses))
        let nodes = Dictionary(nodes.map { ($0.name, $0) }) { first, _ in first }
        for old in records.sorted(by: { $0.node < $1.node }) where old.isKubeadms {
            guard let node = nodes[old.node] else {
                let end = (old.since ?? .distantPast).addingTimeInterval(Self.patience)
                if old.addresses.isEmpty, end > now {
                    lookAgain = min(lookAgain ?? end, end)
                } else {
                    forgotten.append(old.node)
                }
                continue
            }
            var record = old
            if record.addresses.isEmpty {
                let said = (node.status?.addresses ?? []).filter { $0.type == "InternalIP" }.map(\.address)
                    .filter { IPv4Address($0) != nil }
                let trouble = said.first.map {
                    join.network.clash(withHostAt: $0) ?? (taken.contains($0) ? "\($0) is another node's" : nil)
                }
                guard let address = said.first, trouble == .some(nil) else {
                    problems.append("node \(old.node) is not recorded: \((trouble ?? nil) ?? "it has no IPv4 address")")
                    continue
                }
                record.addresses = [address]
                taken.insert(address)
            }
            if record.podCIDR.isEmpty {
                guard let part = node.spec?.podCIDR ?? networks.nextFromEnd() else {
                    problems.append(
                        "node \(old.node) is not recorded: the pod network \(join.network.pods ?? "") has no room for another node")
                    continue
                }
                record.podCIDR = part
            }
            if record != old { self.records.append(record) }
            podCIDRs[record.node] = record.podCIDR
        }
    }

    /// The files of `nestbox-node`'s ConfigMap: each node finds its own by its name.
    func files(_ join: KubeadmJoin, certificateAuthority: String) -> [String: String] {
        var files = ["ca.crt": certificateAuthority]
        for (node, podCIDR) in podCIDRs {
            let bridge = join.network.cni != "none"
            let network = JoinNetwork(
                podCIDR: podCIDR, clusterPodCIDR: join.network.pods ?? "", serviceCIDR: join.network.services ?? "",
                nodeLocalAPIAddress: join.network.nodeLocalAPIAddress ?? "", bridge: bridge)
            let endpoints = JoinEndpoints(api: join.endpoints.api, tunnel: join.endpoints.tunnel)
            files["\(node).conf"] = NodeSettings(nodeName: node, network: network, endpoints: endpoints).text + "\n"
            if bridge { files["\(node).conflist"] = network.bridgeConfiguration(masquerades: true) + "\n" }
        }
        return files
    }
}
