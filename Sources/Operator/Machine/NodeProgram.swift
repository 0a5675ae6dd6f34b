import Crypto
import Foundation
import NodeJoin

/// `nestbox-node` as it came with this operator.
enum NodeProgram {
    /// Read once, before anything is served.
    static func read(_ path: String) throws -> LocalFile {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw PhaseError("nestbox-node is not at \(path): it comes with the operator's image; say where with --node-program")
        }
        let digest = SHA256.hash(data: data).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
        return LocalFile(path: path, sha256: digest)
    }
}
