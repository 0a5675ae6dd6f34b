import Glibc
import Synchronization

/// Runs code on a thread of its own in a network namespace of its own, which ends with the thread.
enum NetworkNamespace {
    struct Unavailable: Error {
        var code: Int32
    }

    static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let box = Box {
                // Mounts too: `ip netns` leaves some, which then end with the thread.
                guard unshareNetworkAndMounts() == 0,
                    shell("mount --make-rprivate / && mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns") == 0
                else {
                    continuation.resume(throwing: Unavailable(code: errno))
                    return
                }
                continuation.resume(with: Swift.Result { try body() })
            }
            var thread = pthread_t()
            pthread_create(
                &thread, nil,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                    return nil
                }, Unmanaged.passRetained(box).toOpaque())
            pthread_detach(thread)
        }
    }

    /// Runs a shell command in the namespace of the calling thread.
    static func shell(_ command: String) -> Int32 { system(command) }

    /// Swift's Glibc leaves out what glibc declares for GNU sources only.
    private static func unshareNetworkAndMounts() -> Int32 {
        typealias Unshare = @convention(c) (Int32) -> Int32
        guard let symbol = dlsym(nil, "unshare") else { return -1 }
        let cloneNewNetwork: Int32 = 0x4000_0000
        let cloneNewMounts: Int32 = 0x0002_0000
        return unsafeBitCast(symbol, to: Unshare.self)(cloneNewNetwork | cloneNewMounts)
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
