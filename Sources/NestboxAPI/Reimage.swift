import KubernetesAPI

/// How a provider says that a server was installed anew.
public enum Reimage {
    /// On the Machine; its value is the epoch, `status.lastEpoch`, of the claim that the server was cleaned after.
    public static let annotation = "nestbox.dev/reimaged"
}

extension Machine {
    /// What the annotation has to say now.
    public var reimageEpoch: String { "\(status?.lastEpoch ?? 0)" }

    /// Whether it waits for being installed anew, or is Quarantined, and was: an older word does not count.
    public var isReimaged: Bool {
        guard let phase = status?.phase, [.reimaging, .quarantined].contains(phase) else { return false }
        return metadata.annotations?[Reimage.annotation] == reimageEpoch
    }
}
