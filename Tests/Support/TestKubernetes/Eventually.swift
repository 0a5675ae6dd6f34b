/// Waits until a condition holds, and fails with a sentence when it does not in time.
public func eventually(
    _ what: String, within limit: Duration = .seconds(120), isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard .now < deadline else { throw TestKubernetesError("not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
