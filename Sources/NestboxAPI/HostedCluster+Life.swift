import KubernetesAPI

/// What a person holds up or lets go of a cluster's life.
public enum HostedClusterAnnotation {
    /// Why it is paused, for whoever finds it so.
    public static let pauseReason = "nestbox.dev/pause-reason"
}

extension HostedCluster {
    public var isProtected: Bool { spec?.deletionProtection == true }

    /// Whether it is on its way out. A deletion cannot be taken back once it was asked for; of one that is protected, nothing is torn
    /// down until the protection is taken away, and it serves on.
    public var isLeaving: Bool { metadata.isBeingDeleted && !isProtected }

    /// Whether its protection holds up a deletion that was asked for.
    public var isHeldBack: Bool { metadata.isBeingDeleted && isProtected }
}
