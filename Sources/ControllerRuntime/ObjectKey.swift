import KubernetesAPI

/// What a queue holds of an object: its name. The object itself is read when it is its turn.
public struct ObjectKey: Hashable, Sendable, CustomStringConvertible {
    /// Nil for a cluster-scoped object.
    public var namespace: String?
    public var name: String

    public init(namespace: String? = nil, name: String) {
        self.namespace = namespace
        self.name = name
    }

    public init(_ object: some KubernetesObject) {
        self.init(namespace: object.namespace, name: object.name)
    }

    /// `namespace/name`.
    public var description: String { namespace.map { "\($0)/\(name)" } ?? name }
}
