import KubernetesVersions
import NestboxAPI

/// What a lab is to be: written by `up`, run by the supervisor.
struct LabSpec: Codable, Sendable, Equatable {
    var name: LabName
    var addresses: AddressPlan
    var version: KubernetesVersion
    /// Whose control planes the host has images of, beside its own version's. Not there in a lab of an older Nestbox.
    var tenantVersions: [KubernetesVersion]?
    var components: [ComponentSpec]
    /// The environment of every component; nothing else of the caller's reaches them.
    var environment: [String: String]
    /// The machines' read-only root.
    var rootfs: String
    var machines: [LabMachine]
    /// The nodes of the host; not there in a lab of an older Nestbox, which has the embedded one alone.
    var hostNodes: [HostNode]?
}

extension LabSpec {
    /// The host's nodes, the embedded one first.
    var nodes: [HostNode] { hostNodes ?? [.embedded(name: name.node, in: addresses)] }
    /// Those of them that are machines.
    var nodeMachines: [HostNode] { nodes.filter { !$0.isEmbedded } }

    /// Whatever is booted: nodes of the host, and workers.
    var booted: [LabMachine] {
        nodeMachines.map { LabMachine(name: $0.name, address: $0.address, user: "root", port: 22) } + machines
    }

    /// What a machine's start has to be told of its network, and of what it is to run.
    func place(of machine: LabMachine, paths: LabPaths) -> [String: String] {
        guard let node = nodeMachines.first(where: { $0.name == machine.name }) else {
            return ["BRIDGE": "machines", "PREFIX": "\(addresses.machines.prefixLength)", "GATEWAY": "\(addresses.gateway)"]
        }
        let routes = nodeMachines.filter { $0 != node }.map { "\($0.pods) \($0.address)" }
        return [
            "BRIDGE": "hosts", "PREFIX": "\(addresses.hostNodes.prefixLength)", "GATEWAY": "\(addresses.hostNodesGateway)",
            "ROUTES": routes.joined(separator: "\n"), "UNITS": paths.units(of: node), "CACHE": paths.cache, "VOLUMES": paths.volumes,
        ]
    }
}

/// One supervised program of the host.
struct ComponentSpec: Codable, Sendable, Equatable {
    /// What has to be there before it starts: it would fail or dawdle otherwise.
    enum Gate: Codable, Sendable, Equatable {
        case socket(String)
        case port(Int)
        case apiReady
    }

    var name: String
    var program: String
    var arguments: [String]
    var gates: [Gate] = []
    /// Those with the highest stage stop first.
    var stage: Int
}

/// A worker machine of the lab: plain Debian that answers SSH.
public struct LabMachine: Codable, Sendable, Equatable {
    public var name: String
    public var address: String
    /// `root`, or a user with passwordless sudo.
    public var user: String
    public var port: Int

    public init(name: String, address: String, user: String, port: Int) {
        self.name = name
        self.address = address
        self.user = user
        self.port = port
    }

    /// The machine with that number, from 1: odd ones are reached as root, even ones as a user with sudo.
    static func numbered(_ number: Int, in plan: AddressPlan) -> LabMachine {
        LabMachine(
            name: "worker-\(number)", address: "\(plan.machine(number))", user: number.isMultiple(of: 2) ? "admin" : "root", port: 22)
    }
}
