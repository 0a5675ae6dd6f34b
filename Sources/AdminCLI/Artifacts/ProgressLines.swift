import ArtifactStore
import Foundation

/// Progress on standard error, each line with the seconds since the start: standard output is for data.
struct ProgressLines: Sendable {
    private let start = ContinuousClock.now

    var line: ArtifactProgress {
        { [start] text in
            let seconds = (ContinuousClock.now - start).components.seconds
            FileHandle.standardError.write(Data("[\(seconds) s] \(text)\n".utf8))
        }
    }
}
