import NIOCore
import NIOPosix
import Synchronization
import TestCampaign

/// How late this process's own event loops come: on a busy machine part of what is measured here is this end's.
final class Lag: Sendable {
    private static let beat = TimeAmount.milliseconds(50)
    private let worst = Mutex<[(time: NIODeadline, late: TimeAmount)]>([])

    init() {
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { beat(on: loop) }
    }

    private func beat(on loop: any EventLoop) {
        let due = NIODeadline.now() + Self.beat
        loop.scheduleTask(deadline: due) {
            let late = NIODeadline.now() - due
            // What matters is far more than what every loop is late by.
            if late > .milliseconds(20) {
                self.worst.withLock { worst in
                    worst.removeAll { $0.time < .now() - .seconds(30) }
                    worst.append((.now(), late))
                }
            }
            self.beat(on: loop)
        }
    }

    /// All of it in the last while, together.
    func total(inLast time: Duration) -> Duration {
        let start = NIODeadline.now() - TimeAmount(time)
        return worst.withLock { worst in
            .nanoseconds(worst.filter { $0.time >= start }.reduce(0) { $0 + $1.late.nanoseconds })
        }
    }
}
