import Foundation
import TestCommands
import Testing

extension InTheLab {
    /// A control plane grows and shrinks while its tenant works, and every write that was acknowledged is there afterwards.
    @Suite("Control planes scale", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(30)))
    struct ControlPlaneScaling {
        @Test func oneToThreeToOneUnderWrites() async throws {
            try await TestLab.with(machines: 1) { lab in
                let tenant = try await lab.createTenant("demo", replicas: 0)
                let writer = try Writer(tenant, in: lab.folder)
                try await writer.start()
                let before = try await etcdPods(lab)

                let grown = try await timed { try await scale(lab, to: 3) }
                #expect(try await etcdPods(lab).filter { $0.hasPrefix("etcd-0 ") } == before, "growing rolled etcd-0")
                #expect(try await counts(lab) == "3 3 3 3 3")

                try await aMemberLosesItsData(lab)
                try await everyMemberGetsANewSetting(lab)
                let kept = try await etcdPods(lab).filter { $0.hasPrefix("etcd-0 ") }

                let shrunk = try await timed { try await scale(lab, to: 1) }
                #expect(try await counts(lab) == "1 1 1 1 1")
                #expect(try await etcdPods(lab) == kept, "shrinking rolled etcd-0")
                try await CommandRun.eventually(within: .seconds(60), "the volumes of those that went to go") {
                    let claims = try await inControlPlane(lab, "get", "pvc", "-o", "name")
                    guard claims == "persistentvolumeclaim/data-etcd-0\n" else { throw CommandRun.Failed(description: claims) }
                }

                let result = try await writer.finish()
                print("1 to 3: \(grown), 3 to 1: \(shrunk); \(result)")
                #expect(result.lost.isEmpty, "acknowledged, and not there: \(result.lost.prefix(5))")
                #expect(result.acknowledged > 100)
            }
        }

        private func scale(_ lab: TestLab, to replicas: Int) async throws {
            try await lab.host.nestbox("scale", "cluster", "demo", "--replicas", "\(replicas)", "--wait", "--timeout", "300")
        }

        /// Its process is ended and its data taken away, as when a disk was replaced.
        private func aMemberLosesItsData(_ lab: TestLab) async throws {
            try await inControlPlane(lab, "delete", "pvc", "data-etcd-1", "--wait=false")
            try await inControlPlane(lab, "delete", "pod", "etcd-1", "--grace-period=1")
            try await CommandRun.eventually(within: .seconds(180), "etcd-1 to be replaced") {
                let restored = try await inControlPlane(
                    lab, "get", "pod", "etcd-1", "-o", "jsonpath={.status.containerStatuses[0].ready}")
                guard try await health(lab) == "3 3 True", restored == "true" else {
                    throw CommandRun.Failed(description: "\(try await health(lab)), \(restored)")
                }
            }
        }

        /// One after the other, under the same writes.
        private func everyMemberGetsANewSetting(_ lab: TestLab) async throws {
            let before = Set(try await etcdPods(lab))
            try await lab.host.kubectl(
                "patch", "hostedcluster", "demo", "--type=merge", "-p",
                #"{"spec": {"controlPlane": {"resources": {"etcd": {"requests": {"cpu": "26m", "memory": "96Mi"}}}}}}"#)
            try await CommandRun.eventually(within: .seconds(180), "all three to be of the new template") {
                let now = try await etcdPods(lab)
                guard now.count == 3, before.isDisjoint(with: now), try await health(lab) == "3 3 True" else {
                    throw CommandRun.Failed(description: "\(now), \(try await health(lab))")
                }
            }
        }

        /// Members with a vote, those of them that answer, and whether all is well.
        private func health(_ lab: TestLab) async throws -> String {
            try await lab.host.kubectl(
                "get", "hostedcluster", "demo", "-o",
                "jsonpath={.status.etcd.members} {.status.etcd.ready} {.status.conditions[?(@.type=='EtcdHealthy')].status}")
        }

        private func counts(_ lab: TestLab) async throws -> String {
            try await lab.host.kubectl(
                "get", "hostedcluster", "demo", "-o",
                "jsonpath={.status.controlPlane.replicas} {.status.controlPlane.running} {.status.controlPlane.ready} {.status.etcd.members} {.status.etcd.ready}"
            )
        }

        /// Name and UID of each.
        private func etcdPods(_ lab: TestLab) async throws -> [String] {
            let template = "{range .items[*]}{.metadata.name} {.metadata.uid}{\"\\n\"}{end}"
            return try await inControlPlane(lab, "get", "pods", "-l", "nestbox.dev/component=etcd", "-o", "jsonpath=\(template)")
                .split(separator: "\n").map(String.init)
        }

        @discardableResult
        private func inControlPlane(_ lab: TestLab, _ arguments: String...) async throws -> String {
            let namespace = try await lab.host.kubectl("get", "hostedcluster", "demo", "-o", "jsonpath={.status.controlPlaneNamespace}")
            return try await lab.host.kubectl(["-n", namespace] + arguments)
        }

        private func timed(_ body: () async throws -> Void) async throws -> Duration {
            let clock = ContinuousClock()
            return try await clock.measure { try await body() }
        }
    }
}

/// Writes ConfigMaps one after the other, as fast as they are acknowledged, and notes which were and how long none was.
private struct Writer {
    struct Result: CustomStringConvertible {
        var acknowledged: Int
        var failed: Int
        var longestGap: Double
        var lost: [String]

        var description: String {
            "\(acknowledged) writes acknowledged, \(failed) refused, the longest time without one \(longestGap) s, \(lost.count) lost"
        }
    }

    private let tenant: CommandRun
    private let folder: URL

    init(_ tenant: CommandRun, in folder: URL) throws {
        self.tenant = tenant
        self.folder = folder.appendingPathComponent("writer")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
    }

    /// By kubectl's proxy, so that one write is one request and nothing is tried again behind our back.
    func start() async throws {
        try await tenant.shell(
            """
            cd \(folder.path)
            cat > write.sh <<'END'
            \(tenant.kubectl) proxy --port=0 > proxy.log 2>&1 &
            proxy=$!
            trap 'kill $proxy' EXIT
            trap exit TERM
            for _ in $(seq 100); do grep -q Starting proxy.log && break; sleep 0.1; done
            address=$(grep -o '127.0.0.1:[0-9]*' proxy.log | head -1)
            n=0
            while [ ! -e stop ]; do
              n=$((n + 1))
              code=$(curl -s -o /dev/null -w '%{http_code}' --max-time 10 -H 'Content-Type: application/json' \\
                -d "{\\"metadata\\":{\\"name\\":\\"write-$n\\"},\\"data\\":{\\"n\\":\\"$n\\"}}" "http://$address/api/v1/namespaces/default/configmaps")
              echo "$(date +%s.%N) $code write-$n" >> log
              sleep 0.05
            done
            touch stopped
            END
            setsid timeout 1500 sh write.sh > writer.out 2>&1 < /dev/null &
            """)
        try await CommandRun.eventually(within: .seconds(30), "the first write") {
            guard lines().contains(where: { $0[1] == "201" }) else { throw CommandRun.Failed(description: "none was acknowledged") }
        }
    }

    func finish() async throws -> Result {
        try Data().write(to: folder.appendingPathComponent("stop"))
        try await CommandRun.eventually(within: .seconds(30), "the writer to end") {
            guard FileManager.default.fileExists(atPath: folder.appendingPathComponent("stopped").path) else {
                throw CommandRun.Failed(description: "it goes on")
            }
        }
        let written = lines()
        let acknowledged = written.filter { $0[1] == "201" }
        let there = Set(
            try await tenant.kubectl("get", "configmaps", "-o", "jsonpath={range .items[*]}{.metadata.name}{\"\\n\"}{end}")
                .split(separator: "\n").map(String.init))
        let times = acknowledged.compactMap { Double($0[0]) }
        let gap = zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? 0
        return Result(
            acknowledged: acknowledged.count, failed: written.count - acknowledged.count, longestGap: (gap * 1000).rounded() / 1000,
            lost: acknowledged.map { $0[2] }.filter { !there.contains($0) })
    }

    private func lines() -> [[String]] {
        let text = (try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }.filter { $0.count == 3 }
    }
}
