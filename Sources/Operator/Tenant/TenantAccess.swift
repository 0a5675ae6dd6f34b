import ControlPlane
import KubernetesClient
import Logging

/// How the operator reaches a tenant's API server: at the Service's address inside the host.
struct TenantAccess: Sendable {
    var address: String
    var keys: ClusterKeys

    func configuration(with credential: IssuedCertificate?) -> ClientConfiguration {
        ClientConfiguration(
            server: "https://\(address):\(NestboxPort.api)", certificateAuthority: keys.cluster.certificatePEM,
            clientCertificate: credential?.certificatePEM, clientKey: credential?.keyPEM, token: nil, tlsServerName: "kubernetes")
    }

    /// Runs with a client of its own that is shut down afterwards.
    func with(_ credential: IssuedCertificate, logger: Logger, _ body: (KubernetesClient) async throws -> Void) async throws {
        try await KubernetesClient.with(configuration(with: credential), userAgent: "nestbox-operator", logger: logger, body)
    }
}
