public import KubernetesVersions

/// An image of etcd's, as a reference names it: `registry:5000/etcd:3.5.24-0@sha256:...`.
public struct EtcdImageReference: Sendable, Equatable {
    /// With the registry, without tag and digest.
    public var repository: String
    /// Nil where only a digest says which it is, or nothing does.
    public var tag: String?

    public init(_ reference: String) {
        let named = reference.prefix { $0 != "@" }
        // Before the last slash a colon stands before a port.
        let name = named.lastIndex(of: "/").map { named.index(after: $0) } ?? named.startIndex
        let colon = named[name...].firstIndex(of: ":")
        repository = String(named[..<(colon ?? named.endIndex)])
        tag = colon.map { String(named[named.index(after: $0)...]) }
    }

    /// By its tag; nil where that does not tell.
    public var version: ProgramVersion? { tag.flatMap(Self.version(ofTag:)) }

    /// Of `3.5.24-0`, and of etcd's own `v3.5.24`.
    public static func version(ofTag tag: String) -> ProgramVersion? {
        tag.contains(".") ? ProgramVersion(tag.hasPrefix("v") ? tag.dropFirst() : tag[...]) : nil
    }
}
