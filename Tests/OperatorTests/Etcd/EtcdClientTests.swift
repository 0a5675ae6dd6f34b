import ControlPlane
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import TestCommands
import TestKubernetes
import Testing

@testable import Operator

extension EtcdClient {
    /// Of members of a test's own.
    init(_ etcd: TestEtcd, members: Int) {
        self.init(
            endpoints: (0..<members).map { Endpoint(name: "etcd-\($0)", url: etcd.url($0), serverName: "etcd-\($0)") },
            certificateAuthority: etcd.authority.certificatePEM, identity: etcd.client, logger: .quiet)
    }
}

extension EtcdClient {
    func leads(_ ordinal: Int) async -> Bool { (try? await status(of: ordinal).isLeader) == true }
}

extension TestEtcd {
    /// Any call of etcd's gateway.
    @discardableResult
    func call(_ member: Int, _ path: String, _ body: JSONValue) async throws -> (status: Int, body: [UInt8]) {
        var access = ClientConfiguration(
            server: url(member), certificateAuthority: authority.certificatePEM, clientCertificate: client.certificatePEM,
            clientKey: client.keyPEM, token: nil)
        access.timeouts.request = .seconds(5)
        return try await KubernetesClient.with(access, logger: .quiet) { try await $0.raw(.post, path: "/v3/\(path)", body: body) }
    }

    @discardableResult
    func put(_ member: Int, _ key: String, _ value: String) async throws -> Int {
        try await call(member, "kv/put", ["key": .string(Self.encoded(key)), "value": .string(Self.encoded(value))]).status
    }

    static func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}

/// What the gateway of a real etcd answers: 3.4 of the artifact store, or the one beside `NESTBOX_TEST_KUBERNETES`.
@Suite(.integration, .serialized, .timeLimit(.minutes(5))) struct EtcdClientTests {
    @Test func aLearnersLife() async throws {
        try await TestEtcd.with(members: 2) { etcd in
            let client = EtcdClient(etcd, members: 2)
            try await etcd.start(0, .new([0]))
            try await eventually("the first to lead") { await client.leads(0) }
            let first = try await client.status(of: 0)
            #expect(first.version.hasPrefix("3.") && first.size > 0 && first.sizeInUse > 0 && first.revision >= 1 && first.errors.isEmpty)
            let alone = try await client.members(through: 0)
            #expect(alone.count == 1 && alone[0].hasStarted && !alone[0].isLearner && alone[0].id == first.memberID)
            #expect(try await client.alarms(through: 0) == [])

            // Empty, and not told to join: it refuses, and says so.
            try await etcd.start(1, .closed)
            try await eventually("it to refuse") { await !etcd.isRunning(1) }
            #expect(EtcdLastWords(ContainerStateTerminated(exitCode: 1, message: etcd.lastWords(1)), restarts: 0).pod == .empty)
            await etcd.kill(1)
            let silence = await #expect(throws: EtcdError.self) { try await client.status(of: 1) }
            #expect(silence?.description.hasPrefix("etcd-1, asked for maintenance/status: ") == true)

            try await client.addLearner(peerURL: etcd.peerURL(1), through: 0)
            let added = try #require(try await client.members(through: 0).first { $0.isLearner })
            #expect(!added.hasStarted && added.name.isEmpty && added.peerURL == etcd.peerURL(1))
            await #expect(throws: EtcdError.self) { try await client.promote(added.id, through: 0) }
            try await etcd.start(1, .joining([0, 1]))
            try await eventually("it to get its vote") {
                do { try await client.promote(added.id, through: 0) } catch is EtcdError { return false }
                return true
            }
            let both = await client.statuses(of: 0..<2)
            #expect(both.count == 2 && Set(both.values.map(\.clusterID)) == [first.clusterID] && both[0]?.leaderID == both[1]?.leaderID)

            try await client.moveLeader(from: 0, to: added.id)
            try await eventually("it to lead") { try await client.status(of: 1).isLeader }
            try await client.moveLeader(from: 1, to: first.memberID)
            // A member that it has been connected to for less than 5 s counts as unwell, and none is removed then.
            try await eventually("it to be let go") {
                do { try await client.remove(added.id, through: 0) } catch is EtcdError { return false }
                return true
            }
            #expect(try await client.members(through: 0).map(\.id) == [first.memberID])
        }
    }

    @Test func aPassConnectsOnceToAMember() async throws {
        try await TestEtcd.with(members: 1) { etcd in
            try await etcd.start(0, .new([0]))
            let port = try #require(etcd.url(0).split(separator: ":").last.flatMap { Int($0) })
            try await eventually("it to lead") { await EtcdClient(etcd, members: 1).leads(0) }
            let before = try await Connections(to: port).all
            let made = try await EtcdClient(etcd, members: 1).use { client in
                for _ in 0..<3 {
                    _ = try await client.status(of: 0)
                    _ = try await client.members(through: 0)
                    _ = try await client.alarms(through: 0)
                }
                return try await Connections(to: port).all.subtracting(before)
            }
            #expect(made.count == 1, "\(made), and before \(before)")
            try await eventually("it to be closed") { try await Connections(to: port).open.isDisjoint(with: made) }
        }
    }

    /// To a port of loopback, by their own ends, as the kernel lists them: those that were closed within a minute too. The gateway's own
    /// to its member is among them.
    private struct Connections {
        var all: Set<Substring> = []
        var open: Set<Substring> = []

        init(to port: Int) async throws {
            let digits = String(port, radix: 16, uppercase: true)
            let peer = "0100007F:" + String(repeating: "0", count: 4 - digits.count) + digits
            for line in try await CommandRun(environment: [:]).run("/bin/cat", ["/proc/net/tcp"]).split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard fields.count > 3, fields[2] == peer else { continue }
                all.insert(fields[1])
                if fields[3] == "01" { open.insert(fields[1]) }
            }
        }
    }

    @Test func withoutItsQuorumAMemberHasNoLeader() async throws {
        try await TestEtcd.with(members: 3) { etcd in
            let client = EtcdClient(etcd, members: 3)
            for member in 0..<3 { try await etcd.start(member, .new([0, 1, 2])) }
            try await eventually("three to follow one") {
                let statuses = await client.statuses(of: 0..<3)
                return statuses.count == 3 && statuses.values.allSatisfy(\.hasLeader)
            }
            let leader = try #require(await client.statuses(of: 0..<3).first { $0.value.isLeader }?.key)
            #expect(try await client.members(through: leader).allSatisfy(\.hasStarted))
            await etcd.kill(1)
            await etcd.kill(2)
            try await eventually("the last to know of no leader") { try await client.status(of: 0).hasLeader == false }
            #expect(try await client.status(of: 0).isLeader == false)
        }
    }

    @Test func aFullDatabaseIsEmptiedAndTakesWritesAgain() async throws {
        let quota: Int64 = 16 << 20
        try await TestEtcd.with(members: 1, quota: Int(quota)) { etcd in
            let client = EtcdClient(etcd, members: 1)
            try await etcd.start(0, .new([0]))
            try await eventually("it to lead") { await client.leads(0) }
            let value = String(repeating: "x", count: 512 << 10)
            // One object, written over and over: old revisions are what fills it.
            try await eventually("it to be full") { try await etcd.put(0, "a", value) != 200 }
            let alarms = try await client.alarms(through: 0)
            #expect(alarms.map(\.kind) == [.noSpace])

            let log = EtcdCareLog()
            var steps: [EtcdCareDecision] = []
            try await eventually("it to take writes again") {
                let ages = log.ages(of: "uid")
                let status = try await client.status(of: 0)
                let space = EtcdSpace(
                    members: [
                        EtcdMember(id: status.memberID, name: "etcd-0", peerURL: EtcdMember.peerURL(0), hasStarted: true, isLearner: false)
                    ], statuses: [0: status], alarms: try await client.alarms(through: 0), quota: quota, defragmented: ages.defragmented,
                    compacted: ages.compacted)
                let decision = space.decision
                log.note(decision, of: "uid")
                if decision != .nothing { steps.append(decision) }
                switch decision {
                case .nothing: break
                case .compact: try await client.compact(to: status.revision, through: 0)
                case .defragment(let ordinal): try await client.defragment(ordinal)
                case .disarm(let alarm): try await client.disarm(alarm, through: 0)
                }
                return try await etcd.put(0, "a", "y") == 200
            }
            #expect(steps == [.compact, .defragment(ordinal: 0), .disarm(alarms[0])])
            #expect(try await client.status(of: 0).size < quota / 4)
        }
    }

    @Test func whatIsDamagedSaysSo() async throws {
        try await TestEtcd.with(members: 1) { etcd in
            let client = EtcdClient(etcd, members: 1)
            try await etcd.start(0, .new([0]))
            try await eventually("it to lead") { await client.leads(0) }
            for number in 0..<20 { try await etcd.put(0, "key-\(number)", "value") }
            await etcd.kill(0)
            try await etcd.damage(0)
            try await etcd.start(0, .closed)
            try await eventually("it to end") { await !etcd.isRunning(0) }
            let words = EtcdLastWords(ContainerStateTerminated(exitCode: 1, message: etcd.lastWords(0)), restarts: 0)
            #expect(words.pod == .unusable("its log is damaged"), "\(etcd.lastWords(0).suffix(600))")
        }
    }
}
