import ControlPlane
import Foundation
import KubernetesAPI
import TestKubernetes
import Testing

@testable import Operator

/// The decision against real members: this test is their host, and a client writes all the time.
@Suite(.integration, .serialized, .timeLimit(.minutes(10))) struct EtcdGrowthTests {
    @Test func oneToThreeToOneAndAMemberThatLosesItsData() async throws {
        try await TestEtcd.with(members: 3) { etcd in
            let host = EtcdProcesses(etcd)
            try await host.begin()
            try await host.settle(3, within: .seconds(60))
            try await host.write("three")

            // Its data is gone; the others go on, and it comes back with all that they have.
            await etcd.kill(1)
            try await etcd.wipe(1)
            try await host.write("without the second")
            try await host.settle(3, within: .seconds(60))
            try await host.expectAll(from: 1)

            // Of a damaged log it is the same.
            await etcd.kill(2)
            try await etcd.damage(2)
            try await host.write("without the third")
            try await host.settle(3, within: .seconds(60))
            try await host.expectAll(from: 2)

            // The last to stay leads not, at first.
            let client = EtcdClient(etcd, members: 3)
            let leader = try #require(await client.statuses(of: 0..<3).first { $0.value.isLeader })
            let heir = try #require(await client.statuses(of: 1..<3).first { $0.key != leader.key }?.value.memberID)
            if leader.key == 0 { try await client.moveLeader(from: 0, to: heir) }
            try await host.settle(1, within: .seconds(60))
            try await host.write("one again")
            try await host.expectAll(from: 0)
            for ordinal in 1..<3 { #expect(!FileManager.default.fileExists(atPath: etcd.dataDirectory(ordinal))) }
        }
    }
}

/// Does with processes what a StatefulSet does with pods, and takes the operator's steps.
private actor EtcdProcesses {
    let etcd: TestEtcd
    let client: EtcdClient
    var written: [String] = []
    private var replicas = 1
    private var started: Set<Int> = []

    init(_ etcd: TestEtcd) {
        self.etcd = etcd
        client = EtcdClient(etcd, members: 3)
    }

    func begin() async throws {
        try await etcd.start(0, .new([0]))
        started = [0]
        try await eventually("the first to lead") { await client.leads(0) }
        try await write("one")
    }

    /// Through any member that takes it; acknowledged when it returns.
    func write(_ value: String) async throws {
        let key = "/\(written.count)"
        try await eventually("\(value) to be written", within: .seconds(15)) {
            for member in 0..<3 {
                if (try? await etcd.put(member, key, value)) == 200 { return true }
            }
            return false
        }
        written.append(value)
    }

    func expectAll(from member: Int) async throws {
        let found = try await readAll(from: member)
        #expect(found == written)
    }

    private func readAll(from member: Int) async throws -> [String] {
        let body = try await etcd.call(
            member, "kv/range",
            [
                "key": .string(TestEtcd.encoded("/")), "range_end": .string(TestEtcd.encoded("0")), "sort_target": "KEY",
                "serializable": true,
            ]
        ).body
        let pairs = try JSONDecoder().decode(JSONValue.self, from: Data(body))["kvs"]?.array ?? []
        let values = pairs.compactMap { pair -> (Int, String)? in
            guard let key = pair["key"]?.string.flatMap({ Data(base64Encoded: $0) }),
                let number = Int(String(decoding: key.dropFirst(), as: UTF8.self)),
                let value = pair["value"]?.string.flatMap({ Data(base64Encoded: $0) })
            else { return nil }
            return (number, String(decoding: value, as: UTF8.self))
        }
        return values.sorted { $0.0 < $1.0 }.map(\.1)
    }

    func settle(_ wanted: Int, within limit: Duration) async throws {
        var said: [String] = []
        do {
            try await eventually("\(wanted) members", within: limit) {
                try await hostTurn(joining: try await sight()?.joining)
                guard let sight = try await sight() else { return false }
                let decision = MembershipDecision(wanted: wanted, sight)
                if said.last != "\(decision)" { said.append("\(decision)") }
                try await perform(decision, sight)
                return decision == .settled && sight.voters.count == wanted && sight.voters.allSatisfy(sight.isWell)
            }
        } catch {
            Issue.record("\(said)\n\((0..<3).map { "etcd-\($0): \(etcd.lastWords($0).suffix(500))" }.joined(separator: "\n"))")
            throw error
        }
    }

    private func leader() async -> (ordinal: Int, status: EtcdStatus)? {
        await client.statuses(of: 0..<3).first { $0.value.isLeader }.map { ($0.key, $0.value) }
    }

    private func sight() async throws -> EtcdSight? {
        guard let leader = await leader(), var members = try? await client.members(through: leader.ordinal) else { return nil }
        for index in members.indices {
            let ordinal = (0..<3).first { etcd.peerURL($0) == members[index].peerURL }
            if let ordinal { members[index].peerURL = EtcdMember.peerURL(ordinal) }
        }
        var sight = EtcdSight(
            members: members.sorted { ($0.ordinal ?? 9) < ($1.ordinal ?? 9) }, statuses: await client.statuses(of: 0..<3),
            replicas: replicas,
            volumes: [:], pods: [:])
        for ordinal in 0..<3 {
            let hasData = FileManager.default.fileExists(atPath: etcd.dataDirectory(ordinal))
            sight.volumes[ordinal] = ordinal < replicas || hasData ? .there : nil
            guard ordinal < replicas, started.contains(ordinal) else { continue }
            let ended = ContainerStateTerminated(exitCode: 1, message: etcd.lastWords(ordinal))
            sight.pods[ordinal] = await etcd.isRunning(ordinal) ? .running : EtcdLastWords(ended, restarts: 0).pod
        }
        return sight
    }

    /// As a kubelet does: what ended is started again, with what it is told at that moment.
    private func hostTurn(joining: [Int]?) async throws {
        for ordinal in 0..<3 {
            if ordinal >= replicas {
                await etcd.kill(ordinal)
                started.remove(ordinal)
            } else if await !etcd.isRunning(ordinal) {
                await etcd.kill(ordinal)
                try await etcd.start(ordinal, joining.map { .joining($0) } ?? .closed)
                started.insert(ordinal)
                // Long enough to come up or to refuse.
                let deadline = ContinuousClock.now + .seconds(3)
                while await etcd.isRunning(ordinal), (try? await client.status(of: ordinal)) == nil, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
        }
    }

    private func perform(_ decision: MembershipDecision, _ sight: EtcdSight) async throws {
        guard let leader = await leader()?.ordinal else { return }
        do {
            switch decision {
            case .settled, .wait, .blocked: break
            case .run(let count): replicas = count
            case .dropVolume(let ordinal):
                await etcd.kill(ordinal)
                try await etcd.wipe(ordinal)
            case .renewPod(let ordinal), .restart(let ordinal): await etcd.kill(ordinal)
            case .add(let ordinal): try await client.addLearner(peerURL: etcd.peerURL(ordinal), through: leader)
            case .promote(let id, _): try await client.promote(id, through: leader)
            case .moveLeader(let ordinal, let id): try await client.moveLeader(from: ordinal, to: id)
            case .remove(let id, _): try await client.remove(id, through: leader)
            }
        } catch is EtcdError {
            // As when a learner has not caught up yet: to be asked again.
        }
    }
}
