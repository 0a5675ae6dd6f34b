import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct Uninstall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove the operator and the kinds from the host cluster.",
        discussion: """
            Refuses while there are clusters, node pools or claimed machines: removing Nestbox must not remove tenants. Machines that \
            nobody holds are forgotten, with their SSH keys.

            Example:
              nestbox uninstall
            """)

    @Option(help: ArgumentHelp("The operators' namespace.", valueName: "namespace")) var operatorNamespace: String = "nestbox-system"
    @Option(help: ArgumentHelp("How long to wait for machines to be let go: seconds, or 90s, 10m.", valueName: "time"))
    var timeout = WaitLimit(seconds: 120)
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, _ in
            try await Installation.refuseWhereNoOperatorIs(operatorNamespace, with: client)
            let clusters = try await client.listIfKnown(HostedCluster.self).map { "cluster \($0.key)" }
            let pools = try await client.listIfKnown(NodePool.self).map { "node pool \($0.key)" }
            let machines = try await client.listIfKnown(Machine.self)
            let tenants = clusters + pools + machines.filter { $0.status?.claim != nil }.map { "machine \($0.name) (claimed)" }
            guard tenants.isEmpty else {
                throw CommandFailure("there are still tenants: \(Self.some(tenants)); delete them first (nestbox delete cluster NAME)")
            }
            // While the operator is there still: it holds them until it has let them go.
            for machine in machines { try await client.delete(Machine.self, machine.name, uid: machine.metadata.uid) }
            for machine in machines {
                try await Waiting<Machine>(client: client, name: machine.name, limit: timeout).wait(
                    "gone",
                    until: { $0.map { $0.deletionProgress ?? "the operator has not let it go yet" } })
                Terminal.say("deleted \(Rendering.name(Machine.self, machine.name))")
            }
            try await Installation.remove(operatorNamespace: operatorNamespace, with: client)
            Terminal.say("Nestbox is uninstalled")
        }
    }

    /// As many as a person reads.
    static func some(_ names: [String]) -> String {
        names.count <= 8 ? names.joined(separator: ", ") : names.prefix(8).joined(separator: ", ") + " and \(names.count - 8) more"
    }
}

extension KubernetesClient {
    /// Nothing where the kind itself is gone, as after an uninstall that was interrupted.
    fileprivate func listIfKnown<T: KubernetesObject>(_ type: T.Type) async throws -> [T] {
        do {
            return try await list(type).items
        } catch let error as KubernetesError where error.isNotFound {
            return []
        }
    }
}
