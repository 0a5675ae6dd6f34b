import ArtifactStore
import Lab

/// What long work on this computer says while it goes on, on stderr: standard output is for data.
struct ProgressLines: Sendable {
    private let start = ContinuousClock.now

    /// Each line with the time since the start.
    var artifacts: ArtifactProgress {
        { [start] text in Terminal.say(Self.line(text, ContinuousClock.now - start)) }
    }

    /// A line for each phase that has ended, with the time it took.
    var lab: LabProgress {
        { event in
            switch event {
            case .began: break
            case .note(let text): Terminal.say("   \(text)")
            case .ended(let phase, let time): Terminal.say(Self.line(phase, time))
            }
        }
    }

    /// `  12.3 s  host API`
    static func line(_ text: String, _ time: Duration) -> String {
        let tenths = Int((time / .milliseconds(100)).rounded())
        let number = "\(tenths / 10).\(tenths % 10)"
        return String(repeating: " ", count: max(0, 6 - number.count)) + "\(number) s  \(text)"
    }
}
