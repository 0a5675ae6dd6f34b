import Synchronization

/// What is waited for: on a terminal one line that is drawn over, with the seconds; elsewhere a line for each change.
final class LiveLine: Sendable {
    private struct State {
        var text = ""
        var frame = 0
    }

    private let state = Mutex(State())
    let isInteractive: Bool
    private let start = ContinuousClock.now

    init(isInteractive: Bool = Terminal.isInteractive) { self.isInteractive = isInteractive }

    var text: String { state.withLock { $0.text } }

    var elapsed: String { Rendering.duration(seconds: Int((ContinuousClock.now - start).components.seconds)) }

    func show(_ text: String) {
        state.withLock { state in
            guard state.text != text else { return }
            state.text = text
            if isInteractive { draw(state) } else { Terminal.say(text) }
        }
    }

    /// Keeps the line of a terminal alive until the task is cancelled.
    func run() async throws {
        while true {
            try await Task.sleep(for: .milliseconds(200))
            state.withLock { state in
                state.frame += 1
                draw(state)
            }
        }
    }

    /// Leaves the terminal as if the line had never been.
    func clear() {
        state.withLock { if isInteractive, !$0.text.isEmpty { Terminal.draw("\r\u{1B}[2K") } }
    }

    private func draw(_ state: State) {
        guard !state.text.isEmpty else { return }
        Terminal.draw("\r\u{1B}[2K" + Self.line(state.text, frame: state.frame, elapsed: elapsed, width: Terminal.width))
    }

    /// Cut so that it stays one line: what wraps cannot be drawn over.
    static func line(_ text: String, frame: Int, elapsed: String, width: Int) -> String {
        let wheel = Array("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
        let room = max(10, width - elapsed.count - 6)
        let shown = text.count > room ? text.prefix(room - 1) + "…" : text[...]
        return "\(wheel[frame % wheel.count]) \(shown) (\(elapsed))"
    }
}
