import Foundation

extension Duration {
    /// What is left until then, in whole seconds, and one at least: what comes a little early would find it not yet so.
    static func left(until date: Date) -> Duration { .seconds(max(1, date.timeIntervalSinceNow.rounded(.up))) }
}
