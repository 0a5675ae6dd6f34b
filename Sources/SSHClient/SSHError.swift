/// What can go wrong between here and a remote command; each describes itself in a sentence that says what to do.
public enum SSHError: Error, Sendable, Equatable {
    /// The private key cannot be used; found before any connection is made.
    case unusableKey(String)
    /// Nothing answered at the address.
    case unreachable(SSHTarget, reason: String)
    /// Something answered, but no SSH session came of it.
    case handshakeFailed(SSHTarget, reason: String)
    /// The server presented another host key than the ones that are trusted.
    case hostKeyChanged(SSHTarget, trusted: [HostKey], presented: HostKey)
    case authenticationRefused(SSHTarget, reason: String)
    /// The operation did not end in time; the connection was closed, for nothing more can be known about it.
    case timeout(SSHTarget, operation: String, after: Duration)
    case connectionLost(SSHTarget, operation: String, reason: String)
    case uploadFailed(SSHTarget, file: String, path: String, reason: String)
    /// libssh2 itself failed.
    case library(String)
}

extension SSHError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unusableKey(let reason):
            reason
        case .unreachable(let target, let reason):
            "\(target) cannot be reached over SSH: \(reason); check that the machine is up, its address and port, and firewalls between"
        case .handshakeFailed(let target, let reason):
            "no SSH session with \(target): \(reason)"
        case .hostKeyChanged(let target, let trusted, let presented):
            "the host key of \(target) is \(presented.fingerprint) (\(presented.type)), and "
                + "\(trusted.map { "\($0.fingerprint) (\($0.type))" }.joined(separator: " or ")) is pinned: "
                + "this is another machine, a reinstalled one, or someone in between; nothing was sent to it"
        case .authenticationRefused(let target, let reason):
            "\(target) refuses the SSH key: \(reason); check the user and that the public key is in its authorized_keys"
        case .timeout(let target, let operation, let duration):
            "\(operation) on \(target) did not end within \(duration.inSeconds); the connection was closed"
        case .connectionLost(let target, let operation, let reason):
            "the SSH connection to \(target) broke during \(operation): \(reason)"
        case .uploadFailed(let target, let file, let path, let reason):
            "\(file) could not be uploaded to \(target) as \(path): \(reason)"
        case .library(let reason):
            reason
        }
    }
}

extension SSHError {
    /// Whether trying again later, unchanged, may help.
    public var isTransient: Bool {
        switch self {
        case .unreachable, .timeout, .connectionLost, .handshakeFailed: true
        case .unusableKey, .hostKeyChanged, .authenticationRefused, .uploadFailed, .library: false
        }
    }
}

extension Duration {
    /// `90 s`, `1.5 s`.
    var inSeconds: String {
        let tenths = components.seconds * 10 + components.attoseconds / 100_000_000_000_000_000
        return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
    }
}
