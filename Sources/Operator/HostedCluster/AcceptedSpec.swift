import Foundation
import KubernetesAPI
import NestboxAPI

/// The spec, with defaults, that was accepted last: kept on the control-plane namespace, where the tenant cannot reach it.
enum AcceptedSpec {
    static let annotation = "nestbox.dev/accepted-spec"

    static func text(of cluster: HostedCluster) throws -> String { try JSONValue(encoding: cluster.spec).text }

    /// Nil where there is none. One that cannot be read is not none: without it anything would be accepted.
    ///
    /// - Throws: `PhaseError`.
    static func read(from namespace: Namespace) throws(PhaseError) -> HostedClusterSpec? {
        guard let text = namespace.metadata.annotations?[annotation] else { return nil }
        do {
            return try JSONDecoder().decode(HostedClusterSpec.self, from: Data(text.utf8))
        } catch {
            throw PhaseError(
                "the annotation \(annotation) of the namespace \(namespace.name) cannot be read (\(error)): mend it, or take it away to have "
                    + "the cluster's present spec accepted")
        }
    }
}
