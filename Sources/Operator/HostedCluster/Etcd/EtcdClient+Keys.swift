import ControlPlane
import Foundation
import KubernetesAPI
import Logging
import NestboxAPI

extension EtcdClient {
    /// Of an etcd that somebody else runs.
    init(_ external: ExternalEtcdSpec, keys: ExternalEtcdKeys, logger: Logger) {
        self.init(
            endpoints: (external.endpoints ?? []).map { Endpoint(name: $0, url: $0) }, certificateAuthority: keys.certificateAuthorityPEM,
            identity: keys.client, logger: logger)
    }

    /// How many keys there are below a prefix, which ends before its last slash.
    func count(below prefix: String, through ordinal: Int) async throws -> Int64 {
        var question = Self.range(below: prefix)
        question["count_only"] = true
        return Self.number(try await ask(ordinal, "kv/range", question)["count"])
    }

    func delete(below prefix: String, through ordinal: Int) async throws {
        _ = try await ask(ordinal, "kv/deleterange", Self.range(below: prefix), within: .seconds(60))
    }

    /// From `prefix/` to what comes after all that begins with it: `0` follows the slash.
    private static func range(below prefix: String) -> JSONValue {
        ["key": .string(encoded("\(prefix)/")), "range_end": .string(encoded("\(prefix)0"))]
    }

    private static func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}
