import CMalloc
import NIOCore
import NIOPosix

/// How this process takes memory from the kernel and gives it back.
///
/// Buffers of some hundred KiB come and go at every read. By default glibc maps each anew and unmaps it, and the kernel clears its
/// pages each time, which took an eighth of the time of a fast download; so they come from the heap. What a burst of connections
/// leaves there is given back once most of them are closed.
public final class ProcessMemory {
    private static let heapThreshold: Int32 = 8 * 1024 * 1024
    private static let pause = TimeAmount.seconds(1)
    /// A few connections with large windows leave as much behind as many small ones.
    private static let burst = 8
    /// How often at most: it looks through all of the heap.
    private static let interval = TimeAmount.seconds(10)

    private let eventLoop: any EventLoop
    private var open = 0
    /// The most connections since memory was given back.
    private var peak = 0
    private var isScheduled = false
    private var lastTime: NIODeadline?

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// For the whole process; to be called once, at its start.
    public static func tune() {
        _ = mallopt(M_MMAP_THRESHOLD, heapThreshold)
        _ = mallopt(M_TRIM_THRESHOLD, heapThreshold)
        // One arena for every few threads: each keeps what its threads once had.
        _ = mallopt(M_ARENA_MAX, 2)
    }

    func opened() {
        open += 1
        peak = max(peak, open)
    }

    func closed() {
        open -= 1
        guard peak >= Self.burst, open < peak / 2, !isScheduled else { return }
        isScheduled = true
        let next = NIODeadline.now() + Self.pause
        eventLoop.assumeIsolated().scheduleTask(deadline: lastTime.map { max(next, $0 + Self.interval) } ?? next) {
            self.isScheduled = false
            self.peak = self.open
            self.lastTime = .now()
            NIOThreadPool.singleton.submit { _ in _ = malloc_trim(0) }
        }
    }
}
