import KubernetesAPI

/// What a person asks of a cluster's certificates, now: an annotation's JSON. The newest one counts; what came of it is in
/// `status.certificates.renewal` under the same id. Who may change HostedClusters may ask, and sees no key.
public struct CertificateRenewalRequest: AnnotationRequest, Equatable {
    /// Its key.
    public static let annotation = "nestbox.dev/renew-certificates"
    /// As a certificate's name: the admin kubeconfig's.
    public static let kubeconfig = "kubeconfig"

    /// Made up for each.
    public var id: String
    /// Which, by their names; all that the operator renews, and the kubeconfig, when there are none.
    public var certificates: [String]?

    public init(id: String, certificates: [String]? = nil) {
        self.id = id
        self.certificates = certificates
    }
}

extension CertificateRenewalRequest {
    public func asks(for certificate: String) -> Bool { certificates.map { $0.contains(certificate) } ?? true }
}

extension HostedCluster {
    /// The newest request to renew certificates; whether it was answered is for its id to say.
    public var certificateRenewalRequest: CertificateRenewalRequest? {
        metadata.annotations?[CertificateRenewalRequest.annotation].flatMap { CertificateRenewalRequest(annotation: $0) }
    }

    /// The one that nothing came of yet.
    public var pendingCertificateRenewal: CertificateRenewalRequest? {
        certificateRenewalRequest.flatMap { $0.id == status?.certificates?.renewal?.id ? nil : $0 }
    }
}
