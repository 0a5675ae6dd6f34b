import TestCommands

/// Seconds since the round began.
typealias Moment = Double

/// A fault that was.
struct FaultRecord: Equatable, Sendable {
    var fault: MachineFault
    var machine: String
    var from: Moment
    /// Nil while it goes on.
    var to: Moment?
    /// During which operation.
    var during = ""

    /// Whether it went on at some time between the two.
    func wasOn(_ machine: String, _ start: Moment, _ end: Moment) -> Bool {
        self.machine == machine && from <= end && (to ?? .infinity) >= start
    }
}

extension MachineFault {
    static let unreachable: Set<MachineFault> = [.powerOff, .reboot, .freeze, .freezeServices, .cut, .slow]

    /// Which faults are a true reason for what a Quarantined Machine says, and how long after it began at most it may say so; nil when
    /// none of them is.
    static func reasons(forQuarantine message: String) -> (faults: Set<MachineFault>, within: Moment)? {
        func says(_ words: String...) -> Bool { words.contains { message.contains($0) } }
        if says("after cleaning there is still", "the list of its files") { return nil }
        if says("MiB free", "No space left", "no space left", "room for") { return ([.fill], 420) }
        if says("does not answer", "cannot be reached", "SSH") { return (unreachable, 1200) }
        if says("it took longer than") { return (unreachable, 900) }
        return nil
    }
}
