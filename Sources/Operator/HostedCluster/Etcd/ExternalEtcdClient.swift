import ControlPlane
import KubernetesClient
import NestboxAPI

/// An etcd that somebody else runs, asked by gRPC as API servers ask it: for its JSON gateway may be closed, and knows no users.
struct ExternalEtcdClient: Sendable {
    /// URLs, by which messages call them.
    let endpoints: [String]
    private let keys: ExternalEtcdKeys

    init(_ external: ExternalEtcdSpec, keys: ExternalEtcdKeys) {
        endpoints = external.endpoints ?? []
        self.keys = keys
    }

    func status(at endpoint: String) async throws(ExternalEtcdError) -> EtcdStatus {
        let answer = try await ask(endpoint, "etcdserverpb.Maintenance/Status", for: "its status", ProtocolMessage())
        guard let header = answer.message(1) else { throw ExternalEtcdError(endpoint, "its status", .other("its answer has no header")) }
        return EtcdStatus(
            clusterID: "\(header.number(1))", memberID: "\(header.number(2))", leaderID: "\(answer.number(4))",
            version: answer.texts(2).last ?? "", revision: Int64(bitPattern: header.number(3)), size: Int64(bitPattern: answer.number(3)),
            sizeInUse: Int64(bitPattern: answer.number(9)), errors: answer.texts(8))
    }

    /// How many keys there are below a prefix, which ends before its last slash.
    func count(below prefix: String, at endpoint: String) async throws(ExternalEtcdError) -> Int {
        var question = Self.range(below: prefix)
        question.set(9, true)
        return Int(clamping: try await ask(endpoint, "etcdserverpb.KV/Range", for: "the keys below \(prefix)/", question).number(4))
    }

    /// Removes them all at once; how many there were.
    func remove(below prefix: String, at endpoint: String) async throws(ExternalEtcdError) -> Int {
        let answer = try await ask(
            endpoint, "etcdserverpb.KV/DeleteRange", for: "the removal of the keys below \(prefix)/", Self.range(below: prefix),
            within: .seconds(60))
        return Int(clamping: answer.number(2))
    }

    /// From `prefix/` to what comes after all that begins with it: in the order of keys `0` follows the slash.
    private static func range(below prefix: String) -> ProtocolMessage {
        var range = ProtocolMessage()
        range.set(1, "\(prefix)/")
        range.set(2, "\(prefix)0")
        return range
    }

    private func ask(
        _ endpoint: String, _ method: String, for what: String, _ message: ProtocolMessage, within patience: Duration = .seconds(5)
    ) async throws(ExternalEtcdError) -> ProtocolFields {
        var access = ClientConfiguration(
            server: endpoint, certificateAuthority: keys.certificateAuthorityPEM, clientCertificate: keys.client.certificatePEM,
            clientKey: keys.client.keyPEM, token: nil)
        access.timeouts.connect = .seconds(3)
        access.timeouts.request = patience
        let answer: [UInt8]
        do {
            answer = try await UnaryCall(access).send(message.bytes, to: method)
        } catch {
            throw ExternalEtcdError(endpoint, what, ExternalEtcdError.Cause(error))
        }
        guard let fields = ProtocolFields(answer) else { throw ExternalEtcdError(endpoint, what, .other("its answer is none of etcd's")) }
        return fields
    }
}
