import Foundation
import TestCommands
import TestTunnel
import Testing

extension InTheLab {
    /// A control plane of three, and nodes on four machines: every 10 s one tunnel server is killed, and its pod with it, while 50
    /// connections a second and 20 `exec` sessions go through the ones that live. None of these fails.
    @Suite("Servers die under exec", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(40)))
    struct ServersDieUnderExec {
        static let killInterval = Duration.seconds(10)
        static let time = Duration.seconds(300)
        static let sessions = 20
        static let dialInterval = Duration.milliseconds(20)
        private static let machines = 4

        @Test func nothingThroughALivingServerFails() async throws {
            try await TestLab.with(machines: Self.machines) { lab in
                let tenant = try await lab.createTenant("demo", controlPlaneReplicas: 3, replicas: Self.machines)
                for number in 1...Self.machines { try await tenant.apply(Self.pod(number)) }
                try await tenant.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=300s")
                let servers = try await LivingServers(lab, cluster: "demo", agents: Self.machines)
                try await CommandRun.eventually(within: .seconds(300), "three tunnel servers with every agent") {
                    try await servers.look()
                    guard await servers.living.count == 3 else { throw CommandRun.Failed(description: "\(await servers.living)") }
                }
                let kubelets = try await Self.kubelets(tenant)
                let end = ContinuousClock.now + Self.time
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await servers.killInTurn(every: Self.killInterval, until: end) }
                    group.addTask { try await Self.dial(kubelets, through: servers, until: end) }
                    for number in 0..<Self.sessions {
                        group.addTask { try await Self.keepSession(number, lab, tenant, through: servers, until: end) }
                    }
                    try await group.waitForAll()
                }
                let counts = await servers.counts
                print(counts.summary)
                #expect(counts.failures.isEmpty, "\(counts.failures.joined(separator: "\n"))")
                #expect(counts.kills >= 20 && counts.dials > 10_000 && counts.sessions >= Self.sessions)
            }
        }

        // MARK: Connections

        private static func dial(_ kubelets: [String], through servers: LivingServers, until end: ContinuousClock.Instant) async throws {
            var next = ContinuousClock.now
            var number = 0
            try await withThrowingDiscardingTaskGroup { group in
                while ContinuousClock.now < end {
                    next += dialInterval
                    try await Task.sleep(until: next, clock: .continuous)
                    number += 1
                    let kubelet = kubelets[number % kubelets.count]
                    guard let server = await servers.living.randomElement() else { continue }
                    group.addTask {
                        let problem = await problem { try await ask(kubelet, through: server) }
                        await servers.dialled(server, problem: problem.map { "a dial to \(kubelet): \($0)" })
                    }
                }
            }
        }

        /// A kubelet asked in clear says that it wants TLS: an answer from the node.
        private static func ask(_ kubelet: String, through server: LivingServers.Server) async throws {
            try await TestConnection.open(server.socket) { connection in
                let answer = try await connection.connect(to: kubelet)
                guard answer == "HTTP/1.1 200 Connection Established" else { throw CommandRun.Failed(description: answer) }
                try await connection.write("GET / HTTP/1.0\r\n\r\n")
                _ = try await connection.read(exactly: "HTTP/1.0 400".utf8.count)
            }
        }

        private static func problem(_ body: @escaping @Sendable () async throws -> Void) async -> String? {
            await withTaskGroup(of: String?.self) { group in
                group.addTask {
                    do { try await body() } catch { return "\(error)" }
                    return nil
                }
                group.addTask {
                    do { try await Task.sleep(for: .seconds(20)) } catch { return nil }
                    return "no answer in 20 s"
                }
                defer { group.cancelAll() }
                return await group.next() ?? nil
            }
        }

        // MARK: Sessions

        /// An `exec` that is talked with, through one server's kube-apiserver. When its server is killed it begins anew through another.
        private static func keepSession(
            _ number: Int, _ lab: TestLab, _ tenant: CommandRun, through servers: LivingServers, until end: ContinuousClock.Instant
        ) async throws {
            while ContinuousClock.now < end - .seconds(2) {
                guard let server = await servers.living.randomElement() else {
                    try await Task.sleep(for: .milliseconds(100))
                    continue
                }
                let left = (end - .now).components.seconds
                let told = try await lab.onHost(session(tenant, server, pod: "talker-\(number % machines + 1)", seconds: left))
                let lines = told.split(separator: "\n")
                let problem = lines.first == "whole" ? nil : "exec: \(told.trimmingCharacters(in: .whitespacesAndNewlines))"
                await servers.talked(server, problem: problem)
            }
        }

        private static func session(_ tenant: CommandRun, _ server: LivingServers.Server, pod: String, seconds: Int64) -> String {
            """
            # It stays a while after its end, so that what it said last is heard.
            coproc K { timeout \(seconds + 30) \(tenant.kubectl) --kubeconfig '\(tenant.environment["KUBECONFIG"] ?? "")' \
                --server https://\(server.address):6443 --tls-server-name kubernetes exec -i \(pod) -- cat 2>&1; sleep 5; }
            pid=$K_PID
            exec 2>/dev/null 3<&${K[0]} 4>&${K[1]}
            trap 'pkill -P $pid; kill $pid' EXIT
            n=0
            while [ $SECONDS -lt \(seconds) ]; do
                n=$((n + 1))
                echo $n >&4
                # The first answer comes when the session is open.
                read -r -t $((n == 1 ? 30 : 10)) line <&3 || { echo "piece $n had no answer: $line"; exit 0; }
                [ "$line" = $n ] || { echo "piece $n came back as: $line $(timeout 1 cat <&3)"; exit 0; }
                sleep 0.2
            done
            echo whole
            """
        }

        // MARK: The tenant

        private static func kubelets(_ tenant: CommandRun) async throws -> [String] {
            let addresses = try await tenant.kubectl(
                "get", "nodes", "-o", "jsonpath={range .items[*]}{.status.addresses[?(@.type==\"InternalIP\")].address}{\"\\n\"}{end}")
            return addresses.split(separator: "\n").map { "\($0):10250" }
        }

        private static func pod(_ number: Int) -> String {
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: talker-\(number)}
            spec:
              nodeName: worker-\(number)
              terminationGracePeriodSeconds: 1
              containers:
                - name: main
                  image: nestbox.dev/busybox:1
                  imagePullPolicy: IfNotPresent
                  command: [sleep, "100000"]
            """
        }
    }
}

/// The tunnel servers of one control plane, killed one after the other, and what became of what went through them.
actor LivingServers {
    struct Server: Hashable, Sendable {
        var pod: String
        var address: String
        /// In the test's own process namespace.
        var process: Int32
        var socket: String { "/proc/\(process)/root/run/nestbox/tunnel.sock" }
    }

    struct Counts {
        var kills = 0
        var dials = 0
        var sessions = 0
        var lostWithTheirServer = 0
        var failures: [String] = []

        var summary: String {
            "\(kills) servers killed; \(dials) dials and \(sessions) sessions, \(lostWithTheirServer) lost with their server, \(failures.count) failed"
        }
    }

    private let lab: TestLab
    private let namespace: String
    private let agents: Int
    /// Those that serve and hold every agent, oldest first.
    private(set) var living: [Server] = []
    private(set) var counts = Counts()

    init(_ lab: TestLab, cluster: String, agents: Int) async throws {
        self.lab = lab
        self.agents = agents
        namespace = try await lab.host.kubectl(
            "get", "hostedcluster", cluster, "-o", "jsonpath={.status.controlPlaneNamespace}")
    }

    /// Finds servers that came to life.
    func look() async throws {
        let pods = try await lab.host.kubectl(
            "-n", namespace, "get", "pods", "-l", "nestbox.dev/component=control-plane", "-o",
            """
            jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.status.podIP} {.metadata.deletionTimestamp} \
            {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}
            """)
        for line in pods.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, words[3] == "True", !living.contains(where: { $0.pod == words[0] }),
                let process = Self.tunnelServer(ofPod: words[1])
            else { continue }
            let metrics = try await lab.onHost("curl -s --max-time 5 http://\(words[2]):8134/metrics || true")
            guard metrics.contains("\nnestbox_tunnel_agents \(agents)\n") else { continue }
            living.append(Server(pod: words[0], address: words[2], process: process))
        }
    }

    private static func tunnelServer(ofPod uid: String) -> Int32? {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        return processes.first { process in
            guard (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8))?.hasPrefix("nestbox-tunnel") == true,
                let group = try? String(contentsOfFile: "/proc/\(process)/cgroup", encoding: .utf8)
            else { return false }
            return group.contains(uid) || group.contains(uid.replacingOccurrences(of: "-", with: "_"))
        }
    }

    /// Kills the oldest of those that live, its pod with it, as long as another one lives.
    func killInTurn(every interval: Duration, until end: ContinuousClock.Instant) async throws {
        var next = ContinuousClock.now + interval
        while ContinuousClock.now < end {
            try await look()
            if ContinuousClock.now >= next, living.count > 1 {
                next = max(next + interval, .now)
                let server = living.removeFirst()
                counts.kills += 1
                kill(server.process, SIGKILL)
                // The kubelet would wait longer each time before it restarted a container; a new pod starts at once.
                try await lab.host.kubectl("-n", namespace, "delete", "pod", server.pod, "--force", "--grace-period=0", "--wait=false")
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    func dialled(_ server: Server, problem: String?) {
        counts.dials += 1
        note(server, problem)
    }

    func talked(_ server: Server, problem: String?) {
        counts.sessions += 1
        note(server, problem)
    }

    private func note(_ server: Server, _ problem: String?) {
        guard let problem else { return }
        if living.contains(server) {
            counts.failures.append("through \(server.pod), after \(counts.kills) kills: \(problem)")
        } else {
            counts.lostWithTheirServer += 1
        }
    }
}
