import ControlPlane
import KubernetesClient

/// How the operator reaches a tenant's API server: at the Service's address inside the host.
struct TenantAccess: Sendable {
    var address: String
    var keys: ClusterKeys

    func configuration(with credential: IssuedCertificate?) -> ClientConfiguration {
        ClientConfiguration(
            server: "https://\(address):\(NestboxPort.api)", certificateAuthority: keys.cluster.certificatePEM,
            clientCertificate: credential?.certificatePEM, clientKey: credential?.keyPEM, token: nil, tlsServerName: "kubernetes")
    }
}
