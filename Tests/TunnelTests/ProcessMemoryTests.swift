import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Tunnel

@Suite("What the heap keeps", .serialized)
struct ProcessMemoryTests {
    private static let megabytes = 128

    /// Resident memory in MiB.
    private func resident() throws -> Int {
        let words = try SmallFile.text("/proc/self/statm").split(separator: " ")
        return (Int(words[1]) ?? 0) * 4096 / (1 << 20)
    }

    @Test("What a few connections left behind goes back to the kernel once they are closed", .timeLimit(.minutes(10)))
    func givenBack() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let memory = NIOLoopBoundBox.makeBoxSendingValue(ProcessMemory(eventLoop: loop), eventLoop: loop)
        try await loop.submit { for _ in 0..<10 { memory.value.opened() } }.get()
        // Chunks that glibc takes from the heap, and behind them one that stays, so that no shrinking of the heap's end frees them.
        let size = 64 * 1024
        let chunks = (0..<(Self.megabytes << 20) / size).map { _ in
            let chunk = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            memset(chunk, 1, size)
            return chunk
        }
        let last = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        defer { last.deallocate() }
        for chunk in chunks { chunk.deallocate() }
        let before = try resident()
        try await loop.submit { for _ in 0..<10 { memory.value.closed() } }.get()
        let end = ContinuousClock.now + .seconds(20)
        while case let now = try resident(), now > before - Self.megabytes / 2 {
            try #require(ContinuousClock.now < end, "\(before) MiB before, \(now) MiB now")
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
