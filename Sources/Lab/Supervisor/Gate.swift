// Built as a whole module, for release, C's structures come by way of this one.
import CoreFoundation
import Glibc
import KubernetesClient

/// Waits for what a component needs.
struct GateKeeper: Sendable {
    let api: KubernetesClient

    func pass(_ gate: ComponentSpec.Gate) async throws {
        while true {
            if await isOpen(gate) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func isOpen(_ gate: ComponentSpec.Gate) async -> Bool {
        switch gate {
        case .socket(let path): return (try? await offPool { Probe.connects(unix: path) }) ?? false
        case .port(let port): return (try? await offPool { Probe.connects(to: "127.0.0.1", port: port) }) ?? false
        case .apiReady: return await HostAPI.isReady(api)
        }
    }
}

/// Looks at sockets. Each call may take as long as its time-out.
enum Probe {
    static func connects(unix path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { place in
            guard bytes.count < place.count else { return false }
            place.copyBytes(from: bytes)
            return true
        }
        guard fits else { return false }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connected(AF_UNIX, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) { _ in true } ?? false
            }
        }
    }

    static func connects(to address: String, port: Int) -> Bool { connection(to: address, port: port) { _ in true } ?? false }

    /// The first line a server says, such as `SSH-2.0-OpenSSH_9.2p1`; nil when it does not.
    static func banner(of address: String, port: Int) -> String? {
        connection(to: address, port: port) { descriptor -> String? in
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { return nil }
            return String(decoding: buffer[..<count].prefix { $0 != 13 && $0 != 10 }, as: UTF8.self)
        } ?? nil
    }

    private static func connection<T>(to address: String, port: Int, _ body: (CInt) -> T) -> T? {
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        guard inet_pton(AF_INET, address, &place.sin_addr) == 1 else { return nil }
        return withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connected(AF_INET, $0, socklen_t(MemoryLayout<sockaddr_in>.size), body)
            }
        }
    }

    private static func connected<T>(
        _ family: CInt, _ address: UnsafePointer<sockaddr>, _ length: socklen_t, _ body: (CInt) -> T
    ) -> T? {
        let descriptor = socket(family, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // Bounds connect as well as receive.
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard connect(descriptor, address, length) == 0 else { return nil }
        return body(descriptor)
    }
}
