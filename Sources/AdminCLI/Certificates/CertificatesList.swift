import ArgumentParser
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct CertificatesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List a cluster's certificates: its authorities, what they signed, and the admin kubeconfig.",
        discussion: """
            Examples:
              nestbox certificates list demo
              nestbox certificates list demo -o wide
            """)

    @Argument(help: "The cluster's name.", completion: NameCompletion.names(of: HostedCluster.self)) var name: String
    @Option(name: [.customShort("o"), .customLong("output")], help: "The form of what is printed.") var format: Format = .table
    @OptionGroup var connection: Connection

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, wide, json, yaml }

    func run() async throws {
        let cluster = try await connection.run { client, namespace in
            try await client.get(HostedCluster.self, name, namespace: namespace)
        }
        guard let certificates = cluster.status?.certificates, let items = certificates.items, !items.isEmpty else {
            throw CommandFailure("cluster \(name) has no certificates yet: the operator makes them with its control plane")
        }
        switch format {
        case .json: Terminal.write(try Rendering.json(certificates))
        case .yaml: Terminal.write(try Rendering.yaml(certificates))
        case .table, .wide: Terminal.write(Rendering.table(CertificateRows.rows(items, isWide: format == .wide, now: Date())))
        }
        if format == .table || format == .wide, let warning = (cluster.conditions ?? []).named("AuthorityExpiring"),
            warning.status == "True"
        {
            Terminal.say("warning: \(Rendering.oneLine(warning.message))")
        }
    }
}

enum CertificateRows {
    static func rows(_ items: [CertificateStatus], isWide: Bool, now: Date) -> [[String]] {
        var rows = [["NAME", "KIND", "EXPIRES", "LEFT", "RENEWED", "TAKEN-UP"] + (isWide ? ["SINCE"] : [])]
        for item in items {
            let uptake =
                switch item.takenUp {
                case .reload: "by reloading"
                case .rollout: "by a rollout"
                case .download: "by downloading it"
                case nil: ""
                }
            let renewed = item.renewal ?? (item.kind == .authority ? "" : "with its authority")
            let cells = [item.name, item.kind.rawValue, item.notAfter, left(item.notAfter, now), renewed, uptake]
            rows.append(cells + (isWide ? [item.notBefore] : []))
        }
        return rows
    }

    private static func left(_ end: String, _ now: Date) -> String {
        guard let end = Timestamp.parse(end) else { return "" }
        let seconds = Int(end.timeIntervalSince(now))
        return seconds <= 0 ? "ended" : Rendering.duration(seconds: seconds)
    }
}
