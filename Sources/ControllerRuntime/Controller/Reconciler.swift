/// Brings one object from what it is to what it should be.
public protocol Reconciler: Sendable {
    /// Called with a key, never for the same one twice at a time. The object may be gone by now.
    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult
}

/// What a reconciliation came to.
public enum ReconcileResult: Sendable, Equatable {
    /// Nothing more to do until something changes.
    case done
    /// To be looked at again after a while, changed or not.
    case requeue(after: Duration)
}
