import UnixSignals

/// How a wait came to its end.
enum WaitEnding {
    case over, timedOut, interrupted

    /// Waits until the first of `bodies` returns, the time is over or Ctrl-C is typed, with the line kept moving meanwhile.
    static func first(
        of bodies: [@Sendable () async throws -> Void], within limit: WaitLimit, showing line: LiveLine
    ) async throws -> WaitEnding {
        try await withThrowingTaskGroup(of: WaitEnding.self) { group in
            for body in bodies {
                group.addTask {
                    try await body()
                    return .over
                }
            }
            group.addTask {
                try await Task.sleep(for: limit.duration)
                return .timedOut
            }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigint) { return .interrupted }
                throw CancellationError()
            }
            if line.isInteractive {
                group.addTask {
                    try await line.run()
                    throw CancellationError()
                }
            }
            defer {
                group.cancelAll()
                line.clear()
            }
            return try await group.next() ?? .over
        }
    }
}
