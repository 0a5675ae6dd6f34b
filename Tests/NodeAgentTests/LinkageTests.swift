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

    @Test("No Foundation, no ArgumentParser, no second BoringSSL", .enabled(if: path != nil, "the executable is not there"))
    func symbols() throws {
        let path = try #require(Self.path)
        let content = try SmallFile.read(path, limit: 1 << 30)
        // Swift's names of a module's symbols begin with its length and name; libraries stand by name in the dynamic section.
        for trace in ["$s10Foundation", "$s20FoundationEssentials", "libFoundation", "$s14ArgumentParser", "CCryptoBoringSSL_"] {
            let found = content.withUnsafeBytes { content in
                Array(trace.utf8).withUnsafeBytes { memmem(content.baseAddress, content.count, $0.baseAddress, $0.count) != nil }
            }
            #expect(!found, "\(trace) in \(path)")
        }
    }
}
