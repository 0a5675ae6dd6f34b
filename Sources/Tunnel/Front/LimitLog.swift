import Logging
import NIOCore

/// Says that a limit was hit, once a minute at most: whoever drives the tunnel to its limits does not fill its log too.
struct LimitLog {
    private static let pause = TimeAmount.minutes(1)

    private let logger: Logger
    private var quietUntil = NIODeadline.uptimeNanoseconds(0)
    private var untold = 0

    init(_ logger: Logger) { self.logger = logger }

    mutating func hit(_ limit: String) {
        untold += 1
        guard NIODeadline.now() >= quietUntil else { return }
        quietUntil = .now() + Self.pause
        logger.warning("a limit was reached", metadata: ["limit": "\(limit)", "times": "\(untold)"])
        untold = 0
    }
}
