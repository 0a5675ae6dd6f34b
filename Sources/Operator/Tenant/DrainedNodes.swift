import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization

/// The pods of one tenant's nodes that are being drained, each node's watched for as long as that takes, and which of them may not
/// be evicted yet.
final class DrainedNodes: Sendable {
    /// As `kubectl drain` has it.
    static let pauseAfterRefusal = Duration.seconds(5)

    /// Why a pod was not evicted, and when to ask again.
    struct Refusal {
        var words: String
        var until: ContinuousClock.Instant
    }

    private struct Drain {
        var pods: Informer<Pod>
        var refusals: [String: Refusal] = [:]
        var end: AsyncStream<Void>.Continuation
    }

    private struct Start {
        var pods: Informer<Pod>
        var ended: AsyncStream<Void>
    }

    private let drains = Mutex<[String: Drain]>([:])
    private let starts: AsyncStream<Start>
    private let start: AsyncStream<Start>.Continuation
    private let client: KubernetesClient
    private let logger: Logger
    private let podsChanged: @Sendable (_ node: String) -> Void

    /// - Parameter podsChanged: called with the name of a drained node when a pod of it came, began to go, ended or went.
    init(client: KubernetesClient, logger: Logger, podsChanged: @escaping @Sendable (_ node: String) -> Void) {
        self.client = client
        self.logger = logger
        self.podsChanged = podsChanged
        // A drain whose watch found no room lists its pods itself.
        (starts, start) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1000))
    }

    /// The pods on the node, which is watched from now on; nil until they are known.
    func pods(on node: String) -> [Pod]? {
        let pods = drains.withLock { drains in
            if let drain = drains[node] { return drain.pods }
            let pods = Informer<Pod>(client: client, fields: "spec.nodeName=\(node)", logger: logger)
            pods.onChange { [podsChanged] change in if change.mattersToDrain { podsChanged(node) } }
            let (ended, end) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            drains[node] = Drain(pods: pods, end: end)
            start.yield(Start(pods: pods, ended: ended))
            return pods
        }
        return pods.isSynced ? pods.list() : nil
    }

    /// Why the pod may not be asked to go yet; nil when it may.
    func refusal(of pod: Pod, on node: String) -> Refusal? {
        drains.withLock { $0[node]?.refusals[pod.metadata.uid ?? ""] }.flatMap { $0.until > .now ? $0 : nil }
    }

    func refuse(_ pod: Pod, on node: String, _ words: String) {
        drains.withLock {
            $0[node]?.refusals[pod.metadata.uid ?? ""] = Refusal(words: words, until: .now + Self.pauseAfterRefusal)
        }
    }

    /// Ends the watch: the node is empty, or stays.
    func end(_ node: String) {
        drains.withLock { $0.removeValue(forKey: node) }?.end.finish()
    }

    /// Runs the watches until cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await start in starts {
                group.addTask {
                    await withTaskGroup { watch in
                        watch.addTask { try? await start.pods.run() }
                        watch.addTask { for await _ in start.ended {} }
                        await watch.next()
                        watch.cancelAll()
                    }
                }
            }
            group.cancelAll()
        }
    }
}

extension InformerChange<Pod> {
    /// Not every container that starts or fails is a step of a drain.
    fileprivate var mattersToDrain: Bool {
        guard case .updated(let old, let new) = self else { return true }
        return old.metadata.deletionTimestamp != new.metadata.deletionTimestamp || old.status?.phase != new.status?.phase
    }
}
