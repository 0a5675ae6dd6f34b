import KubernetesClient
import NodeJoin

/// Why an external etcd did not do what it was asked for.
struct ExternalEtcdError: Error, Equatable {
    enum Cause: Equatable {
        /// The files of the Secret are of no use.
        case keys(String)
        /// It proved itself with a certificate that `ca.crt` does not vouch for.
        case stranger(String)
        /// It does not take the client's certificate.
        case turnedAway(String)
        /// It knows the client, and did not do what was asked.
        case notPermitted(String)
        case unreachable(String)
        case noLeader
        case other(String)
    }

    var endpoint: String
    /// To be read after "asked for".
    var what: String
    var cause: Cause

    init(_ endpoint: String, _ what: String, _ cause: Cause) {
        self.endpoint = endpoint
        self.what = what
        self.cause = cause
    }
}

extension ExternalEtcdError.Cause {
    init(_ error: any Error) {
        switch error {
        case let refusal as UnaryCall.Refusal where [7, 16].contains(refusal.code): self = .notPermitted(Self.cleaned(refusal.words))
        // "user name is empty", "user is not found" and their like are invalid arguments to etcd.
        case let refusal as UnaryCall.Refusal where refusal.code == 3 && (refusal.words.contains("user") || refusal.words.contains("auth")):
            self = .notPermitted(Self.cleaned(refusal.words))
        case let refusal as UnaryCall.Refusal: self = .other(Self.cleaned(refusal.description))
        case let error as KubernetesError where error.code == .configuration:
            self = .keys(Self.cleaned("\(error.object) cannot be used: \(error.detail ?? "")"))
        case let error as KubernetesError: self.init(connection: error.detail ?? "\(error)")
        default: self = .other(Self.cleaned("\(error)"))
        }
    }

    /// TLS says what is wrong in a word of its own, somewhere in what is said.
    private init(connection detail: String) {
        let ours = ["CERTIFICATE_VERIFY_FAILED", "failedToValidateHostname", "unableToValidateCertificate"]
        let theirs = [
            "ALERT_BAD_CERTIFICATE", "ALERT_UNKNOWN_CA", "ALERT_CERTIFICATE_REQUIRED", "ALERT_CERTIFICATE_EXPIRED",
            "ALERT_CERTIFICATE_UNKNOWN", "ALERT_UNSUPPORTED_CERTIFICATE", "ALERT_CERTIFICATE_REVOKED", "ALERT_ACCESS_DENIED",
        ]
        if let word = ours.first(where: detail.contains) {
            self = .stranger("TLS failed: \(word)")
        } else if let word = theirs.first(where: detail.contains) {
            self = .turnedAway("TLS failed: \(word)")
        } else {
            self = .unreachable(Self.cleaned(detail))
        }
    }

    private static func cleaned(_ words: String) -> String { MachineWords.cleaned(words, limit: 300) }
}

/// Why an external etcd cannot be used, for a condition: which endpoint, what was tried, what came back and what to do. Pure.
struct ExternalEtcdTrouble: Error, Equatable {
    /// Of the condition.
    var reason: String
    var message: String
}

extension ExternalEtcdTrouble {
    /// - Parameters:
    ///   - secret: as `namespace/name`.
    ///   - share: of the keys, which the user of the certificate needs rights on.
    init(_ error: ExternalEtcdError, secret: String, share: String) {
        let (reason, words, advice) = Self.parts(error.cause, secret: secret, share: share)
        self.init(
            reason: reason,
            message:
                "the external etcd at \(error.endpoint), asked for \(error.what) with the keys of the Secret \(secret): \(words); \(advice)"
        )
    }

    private static func parts(_ cause: ExternalEtcdError.Cause, secret: String, share: String) -> (String, String, String) {
        switch cause {
        case .keys(let words): ("KeysUnusable", words, "put ca.crt, tls.crt and the tls.key that goes with it, in PEM, into that Secret")
        case .stranger(let words):
            (
                "WrongAuthority", words,
                "its certificate is not of the authority in ca.crt, or not for that address: put the right ca.crt into the Secret, or mend "
                    + "its certificate"
            )
        case .turnedAway(let words):
            (
                "CertificateRefused", words,
                "it does not take tls.crt: put one into the Secret that its client authority (--trusted-ca-file) signed"
            )
        case .notPermitted(let words):
            (
                "NotPermitted", words,
                "have its admin give a role to the user that tls.crt names (its CN): etcdctl role grant-permission ROLE --prefix=true "
                    + "readwrite \(share)"
            )
        case .unreachable(let words):
            (
                "NotAnswering", words,
                "see that it runs there, and that the operator and the host's nodes reach that address (spec.etcd.external.endpoints)"
            )
        case .noLeader: ("NoLeader", "it has no leader", "most of its members are away: have those who run it bring them back")
        case .other(let words): ("Failing", words, "ask those who run it")
        }
    }
}
