import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One thread that runs the jobs of one actor, which may block in `poll(2)` without holding up the cooperative pool.
/// The thread ends with the executor.
final class ThreadExecutor: SerialExecutor {
    private let inbox = Inbox()

    init() throws(SSHError) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(inbox)
        let status = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Inbox>.fromOpaque(argument).takeRetainedValue().serve()
                return nil
            }, argument.toOpaque())
        guard status == 0 else {
            argument.release()
            throw .library("no thread for an SSH connection: \(String(cString: strerror(status)))")
        }
        pthread_detach(thread)
    }

    deinit { inbox.put(nil) }

    func enqueue(_ job: consuming ExecutorJob) {
        inbox.put(Item(job: UnownedJob(job), executor: self))
    }
}

/// A job, and its executor so that it outlives the job.
private struct Item: Sendable {
    let job: UnownedJob
    let executor: ThreadExecutor
}

/// What the thread has to do. It does not hold the executor: only queued jobs do.
private final class Inbox: Sendable {
    /// Nil ends the thread. Bounded by the number of tasks that await the actor.
    private let items = Mutex<[Item?]>([])
    private let arrived = DispatchSemaphore(value: 0)

    func put(_ item: Item?) {
        items.withLock { $0.append(item) }
        arrived.signal()
    }

    func serve() {
        while true {
            arrived.wait()
            guard let item = items.withLock({ $0.removeFirst() }) else { return }
            item.job.runSynchronously(on: item.executor.asUnownedSerialExecutor())
        }
    }
}
