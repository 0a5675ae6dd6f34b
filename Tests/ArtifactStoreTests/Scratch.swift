import FoundationEssentials

@testable import ArtifactStore

/// A folder of a test's own, gone when the test ends.
func withScratch<T>(_ body: (String) async throws -> T) async throws -> T {
    let folder = FileManager.default.temporaryDirectory.path + "/nestbox-artifacts-\(UUID().uuidString)"
    try FileSystem.createFolder(folder)
    defer { try? FileSystem.remove(folder) }
    return try await body(folder)
}

/// Bytes that repeat nowhere soon.
func someBytes(_ count: Int, seed: UInt32 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(truncatingIfNeeded: state >> 24)
    }
}

func sha256(_ bytes: [UInt8]) -> String { String(ImageDocuments.digest(bytes).dropFirst("sha256:".count)) }
