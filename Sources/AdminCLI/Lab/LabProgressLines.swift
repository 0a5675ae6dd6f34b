import Lab

/// A line for each phase that has ended, with its time.
struct LabProgressLines: Sendable {
    var event: LabProgress {
        { event in
            switch event {
            case .began: break
            case .note(let text): Terminal.say("   \(text)")
            case .ended(let phase, let time): Terminal.say(Self.line(phase, time))
            }
        }
    }

    /// `  12.3 s  host API`
    static func line(_ phase: String, _ time: Duration) -> String {
        let tenths = Int((time / .milliseconds(100)).rounded())
        let number = "\(tenths / 10).\(tenths % 10)"
        return String(repeating: " ", count: max(0, 6 - number.count)) + "\(number) s  \(phase)"
    }
}
