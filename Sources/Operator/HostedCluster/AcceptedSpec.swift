import Foundation
import KubernetesAPI
import NestboxAPI

/// The spec, with defaults, that was accepted last: kept on the control-plane namespace, where the tenant cannot reach it.
enum AcceptedSpec {
    static let annotation = "nestbox.dev/accepted-spec"

    static func text(of cluster: HostedCluster) throws -> String { try JSONValue(encoding: cluster.spec).text }

    static func read(from namespace: Namespace) -> HostedClusterSpec? {
        namespace.metadata.annotations?[annotation].flatMap { try? JSONDecoder().decode(HostedClusterSpec.self, from: Data($0.utf8)) }
    }
}
