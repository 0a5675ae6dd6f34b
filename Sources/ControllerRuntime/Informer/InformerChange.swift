import KubernetesAPI

/// What happened to one object of an informer's store.
public enum InformerChange<T: KubernetesObject>: Sendable, Equatable {
    case added(T)
    case updated(old: T, new: T)
    case deleted(T)

    /// The object as it is now; the last one known, after a deletion.
    public var object: T {
        switch self {
        case .added(let object), .updated(old: _, new: let object), .deleted(let object): object
        }
    }
}
