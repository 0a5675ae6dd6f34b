import Glibc
import Testing
import Tunnel

@Suite("What nestbox-node is linked with")
struct LinkageTests {
    /// The executables are built beside the tests.
    private static let path: String? = {
        guard let runner = CommandLine.arguments.first, let slash = runner.lastIndex(of: "/") else { return nil }
        let path = runner[..<slash] + "/nestbox-node"
        return access(String(path), X_OK) == 0 ? String(path) : nil
    }()

    private static func holds(_ content: [UInt8], _ trace: String) -> Bool {
        let trace = Array(trace.utf8)
        return content.withUnsafeBytes { content in
            guard let base = content.baseAddress, let first = trace.first else { return false }
            var offset = 0
            while offset + trace.count <= content.count,
                let hit = memchr(base + offset, Int32(first), content.count - trace.count - offset + 1)
            {
                if memcmp(hit, trace, trace.count) == 0 { return true }
                offset = UnsafeRawPointer(hit) - base + 1
            }
            return false
        }
    }

    @Test("No Foundation, no ArgumentParser, no second BoringSSL", .enabled(if: path != nil, "the executable is not there"))
    func symbols() throws {
        let path = try #require(Self.path)
        let content = try SmallFile.read(path, limit: 1 << 30)
        // Swift's names of a module's symbols begin with its length and name; libraries stand by name in the dynamic section.
        for trace in ["$s10Foundation", "$s20FoundationEssentials", "libFoundation", "$s14ArgumentParser", "CCryptoBoringSSL_"] {
            #expect(!Self.holds(content, trace), "\(trace) in \(path)")
        }
    }
}
