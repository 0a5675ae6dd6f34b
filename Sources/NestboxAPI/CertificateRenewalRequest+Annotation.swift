import FoundationEssentials
import KubernetesAPI

extension CertificateRenewalRequest {
    /// From the annotation; nil when it is none that can be answered.
    public init?(annotation text: String) {
        guard text.utf8.count <= 4096, let request = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)),
            (1...64).contains(request.id.utf8.count), Syntax.labelValue.accepts(request.id)
        else { return nil }
        self = request
    }

    /// As it is written into the annotation.
    public var annotationText: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }

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
