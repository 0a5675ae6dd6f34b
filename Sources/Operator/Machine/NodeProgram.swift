import Crypto
import Foundation
import HexDigest
import NodeJoin

/// `nestbox-node` as it came with this operator.
enum NodeProgram {
    /// Read once, before anything is served.
    static func read(_ path: String) throws -> LocalFile {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw PhaseError("nestbox-node is not at \(path): it comes with the operator's image; say where with --node-program")
        }
        return LocalFile(path: path, sha256: hexadecimal(SHA256.hash(data: data)))
    }
}
