import Crypto

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A server's public host key.
public struct HostKey: Sendable, Hashable {
    /// As in known_hosts: `ssh-ed25519`, `ecdsa-sha2-nistp256`...
    public let type: String
    /// The key in SSH's wire form, which begins with its type.
    public let blob: [UInt8]

    /// From the wire form; nil when that does not begin with a type.
    public init?(blob: [UInt8]) {
        guard let type = WireReader(blob).firstString, !type.isEmpty else { return nil }
        self.type = type
        self.blob = blob
    }

    /// From `ssh-ed25519 AAAA...`, as in known_hosts without the host, or in a `.pub` file; a comment may follow.
    public init?(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, let data = Data(base64Encoded: String(words[1])), let key = HostKey(blob: [UInt8](data)),
            key.type == words[0]
        else { return nil }
        self = key
    }

    /// `SHA256:...`, as ssh-keygen shows it.
    public var fingerprint: String {
        var text = Data(SHA256.hash(data: blob)).base64EncodedString()
        while text.hasSuffix("=") { text.removeLast() }
        return "SHA256:" + text
    }
}

extension HostKey: CustomStringConvertible {
    /// `ssh-ed25519 AAAA...`
    public var description: String { "\(type) \(Data(blob).base64EncodedString())" }
}

/// Which host keys are accepted.
public enum HostKeyPolicy: Sendable, Equatable {
    /// Only these. More than one while a key is being replaced.
    case pinned([HostKey])
    /// Whichever comes; the caller pins `SSHConnection.hostKey` for the next time.
    case trustFirst

    func accepts(_ key: HostKey) -> Bool {
        switch self {
        case .pinned(let keys): keys.contains(key)
        case .trustFirst: true
        }
    }

    /// The host-key algorithms in order of preference. A pinned key's own type goes first: a server with several keys
    /// would otherwise present another of its own, which looks like a changed one.
    var algorithms: [String] {
        let known = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"]
        guard case .pinned(let keys) = self else { return known }
        let pinned = known.filter { type in keys.contains { $0.type == type } }
        return pinned + known.filter { !pinned.contains($0) }
    }
}
