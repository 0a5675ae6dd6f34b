import Foundation
import KubernetesAPI

/// Why an etcd ended, by its exit code and the end of its log. Pure; the words are those of 3.4 to 3.6, each seen with the real program.
struct EtcdLastWords: Equatable {
    let pod: EtcdPod

    /// - Parameter restarts: how often this container was started again.
    init(_ ended: ContainerStateTerminated, restarts: Int) {
        let words = ended.message ?? ""
        if Self.empty.contains(where: words.contains) {
            pod = .empty
        } else if let known = Self.unusable.first(where: { words.contains($0.words) }) {
            pod = .unusable(known.meaning)
        } else if ended.exitCode == 2, words.contains("goroutine "), restarts >= 3, ended.lived(lessThan: Self.shortLife),
            !Self.notTheData.contains(where: words.contains)
        {
            // Damaged pages make it panic wherever it first meets one. Once, or after a long life, may be anything.
            pod = .unusable("it panics as it starts")
        } else {
            pod = .ended
        }
    }

    /// It found no data, and in the list of those who may start without any it is not.
    private static let empty = ["couldn't find local name"]

    private static let unusable: [(words: String, meaning: String)] = [
        ("permanently removed from the cluster", "its data is of a member that was removed"),
        ("crc mismatch", "its log is damaged"),
        ("cannot use none as id", "its log is damaged"),
        ("file not found in the wal", "its log is damaged"),
        ("walpb: ", "its log is damaged"),
        ("invalid database", "its database is damaged"),
        ("failed to open database", "its database is damaged"),
        ("cannot open database", "its database is damaged"),
        ("failed to recover v3 backend from snapshot", "its database is not the one of its log"),
        ("is out of range [lastIndex(", "its log has lost its end"),
        ("checkInitialHashKV failed", "its data differs from the others'"),
        ("found data inconsistency with peers", "its data differs from the others'"),
    ]

    /// Seconds within which one that cannot read its data ends.
    private static let shortLife: TimeInterval = 60

    private static let notTheData = ["out of memory", "cannot allocate memory", "no space left on device", "pthread_create failed"]
}

extension ContainerStateTerminated {
    /// Unknown times tell nothing.
    fileprivate func lived(lessThan limit: TimeInterval) -> Bool {
        guard let start = startedAt.flatMap(Timestamp.parse), let end = finishedAt.flatMap(Timestamp.parse) else { return false }
        return end.timeIntervalSince(start) < limit
    }
}
