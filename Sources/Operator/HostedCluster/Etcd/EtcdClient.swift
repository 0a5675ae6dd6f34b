import ControlPlane
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization

/// One tenant's etcd, asked through its JSON gateway (etcd docs, "gRPC gateway"), in which 64-bit numbers are texts and what is false,
/// zero or empty is left out. To each member there is one connection, made when it is first asked.
struct EtcdClient: Sendable {
    /// How one member is reached.
    struct Endpoint: Sendable, Equatable {
        /// As messages call it.
        var name: String
        var url: String
        /// What its certificate is checked against, when it is not the URL's host.
        var serverName: String?
    }

    /// By ordinal, where Nestbox runs the members.
    let endpoints: [Endpoint]
    private let certificateAuthority: String?
    private let identity: IssuedCertificate?
    private let logger: Logger
    private let connections = EtcdConnections()

    init(endpoints: [Endpoint], certificateAuthority: String?, identity: IssuedCertificate?, logger: Logger) {
        self.endpoints = endpoints
        self.certificateAuthority = certificateAuthority
        self.identity = identity
        self.logger = logger
    }

    /// - Parameter addresses: of the members' Services, by ordinal.
    init(addresses: [String], keys: ClusterKeys, logger: Logger) {
        let endpoints = addresses.enumerated().map { ordinal, address in
            let name = NestboxName.etcdMember(ordinal)
            return Endpoint(name: name, url: "https://\(address):\(NestboxPort.etcdClients)", serverName: name)
        }
        self.init(
            endpoints: endpoints, certificateAuthority: keys.etcd.certificatePEM, identity: keys.leaves[.etcdOperator], logger: logger)
    }

    /// Runs `body`, and closes what was connected for it.
    func use<Result>(
        isolation: isolated (any Actor)? = #isolation, _ body: (EtcdClient) async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await body(self)
            await connections.close()
            return result
        } catch {
            await connections.close()
            throw error
        }
    }

    // MARK: One member

    /// - Throws: `EtcdError` for a member that does not answer.
    func status(of ordinal: Int) async throws -> EtcdStatus {
        let call = "maintenance/status"
        // A member that is not there is no reason to hold up a pass.
        let answer = try await ask(ordinal, call, within: .seconds(5))
        guard let clusterID = answer["header"]?["cluster_id"]?.string, let memberID = answer["header"]?["member_id"]?.string else {
            throw EtcdError(member: endpoints[ordinal].name, call: call, words: "the answer has no cluster id")
        }
        return EtcdStatus(
            clusterID: clusterID, memberID: memberID, leaderID: answer["leader"]?.string ?? EtcdStatus.nobody,
            version: answer["version"]?.string ?? "", revision: Self.number(answer["header"]?["revision"]),
            size: Self.number(answer["dbSize"]), sizeInUse: Self.number(answer["dbSizeInUse"]),
            errors: answer["errors"]?.array?.compactMap(\.string) ?? [])
    }

    /// Of those that answer, by ordinal.
    func statuses(of ordinals: some Collection<Int> & Sendable) async -> [Int: EtcdStatus] {
        await withTaskGroup(of: (Int, EtcdStatus?).self) { group in
            for ordinal in ordinals where endpoints.indices.contains(ordinal) {
                group.addTask { (ordinal, try? await status(of: ordinal)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    /// Gives free space of the member's file back. It answers nothing else meanwhile (etcd docs, "Maintenance").
    func defragment(_ ordinal: Int) async throws { _ = try await ask(ordinal, "maintenance/defragment", within: .seconds(300)) }

    /// Asks the leader to hand over to another member, so that no election is needed.
    func moveLeader(from ordinal: Int, to id: String) async throws {
        _ = try await ask(ordinal, "maintenance/transfer-leadership", ["targetID": .string(id)])
    }

    // MARK: The cluster, through one member that has a vote

    /// As that member knows it: to be asked of the leader, who is the first to know.
    func members(through ordinal: Int) async throws -> [EtcdMember] {
        let answer = try await ask(ordinal, "cluster/member/list")
        return (answer["members"]?.array ?? []).map { member in
            EtcdMember(
                id: member["ID"]?.string ?? "", name: member["name"]?.string ?? "", peerURL: member["peerURLs"]?.array?.first?.string ?? "",
                hasStarted: member["clientURLs"]?.array?.isEmpty == false, isLearner: member["isLearner"]?.bool ?? false)
        }
    }

    func addLearner(peerURL: String, through ordinal: Int) async throws {
        _ = try await ask(ordinal, "cluster/member/add", ["peerURLs": [.string(peerURL)], "isLearner": true])
    }

    /// - Throws: `EtcdError` also for one that has not caught up yet.
    func promote(_ id: String, through ordinal: Int) async throws {
        _ = try await ask(ordinal, "cluster/member/promote", ["ID": .string(id)])
    }

    func remove(_ id: String, through ordinal: Int) async throws {
        _ = try await ask(ordinal, "cluster/member/remove", ["ID": .string(id)])
    }

    func alarms(through ordinal: Int) async throws -> [EtcdAlarm] {
        let answer = try await ask(ordinal, "maintenance/alarm", ["action": "GET"])
        return (answer["alarms"]?.array ?? []).map { alarm in
            EtcdAlarm(memberID: alarm["memberID"]?.string ?? "", kind: EtcdAlarm.Kind(rawValue: alarm["alarm"]?.string ?? "") ?? .other)
        }
    }

    func disarm(_ alarm: EtcdAlarm, through ordinal: Int) async throws {
        _ = try await ask(
            ordinal, "maintenance/alarm",
            ["action": "DEACTIVATE", "memberID": .string(alarm.memberID), "alarm": .string(alarm.kind.rawValue)])
    }

    /// Forgets what was before that revision, and does not return before the space is free for use.
    func compact(to revision: Int64, through ordinal: Int) async throws {
        _ = try await ask(ordinal, "kv/compaction", ["revision": .string("\(revision)"), "physical": true], within: .seconds(120))
    }

    // MARK: The wire

    /// - Parameter patience: a disk may be slow.
    private func ask(
        _ ordinal: Int, _ call: String, _ body: JSONValue = [:], within patience: Duration = .seconds(15)
    ) async throws -> JSONValue {
        guard endpoints.indices.contains(ordinal) else {
            throw EtcdError(member: NestboxName.etcdMember(ordinal), call: call, words: "it has no address")
        }
        let endpoint = endpoints[ordinal]
        let answer: (status: Int, body: [UInt8])
        do {
            let member = try connections.member(ordinal) { try connect(endpoint) }
            answer = try await member.raw(.post, path: "/v3/\(call)", body: body, within: patience)
        } catch {
            throw EtcdError(member: endpoint.name, call: call, words: "\(error)")
        }
        let value = (try? JSONDecoder().decode(JSONValue.self, from: Data(answer.body))) ?? [:]
        guard answer.status == 200 else {
            throw EtcdError(
                member: endpoint.name, call: call, words: value["message"]?.string ?? value["error"]?.string ?? "HTTP \(answer.status)")
        }
        return value
    }

    private func connect(_ endpoint: Endpoint) throws -> KubernetesClient {
        var access = ClientConfiguration(
            server: endpoint.url, certificateAuthority: certificateAuthority, clientCertificate: identity?.certificatePEM,
            clientKey: identity?.keyPEM, token: nil, tlsServerName: endpoint.serverName)
        access.timeouts.connect = .seconds(3)
        return try KubernetesClient(access, userAgent: "nestbox-operator", logger: logger)
    }

    private static func number(_ value: JSONValue?) -> Int64 { value?.string.flatMap(Int64.init) ?? value?.integer.map(Int64.init) ?? 0 }
}

/// By ordinal, those that were needed so far.
private final class EtcdConnections: Sendable {
    private let members = Mutex<[Int: KubernetesClient]>([:])

    func member(_ ordinal: Int, connect: () throws -> KubernetesClient) throws -> KubernetesClient {
        try members.withLock { members in
            if let member = members[ordinal] { return member }
            let member = try connect()
            members[ordinal] = member
            return member
        }
    }

    func close() async {
        let open = members.withLock { members in
            defer { members = [:] }
            return Array(members.values)
        }
        for member in open { await member.shutdown() }
    }
}

/// What a member of a tenant's etcd answered, or that it did not.
struct EtcdError: Error, CustomStringConvertible {
    var member: String
    var call: String
    var words: String

    var description: String { "\(member), asked for \(call): \(words)" }
}
