import Foundation
import TestCommands
import Testing

extension InTheLab {
    /// What people do to pods through the tunnel, for minutes and by the hundred MB, while agents of other nodes come and go.
    @Suite("The tunnel at work", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(30)))
    struct TheTunnelAtWork {
        @Test func longConnectionsWhileAgentsRestart() async throws {
            try await TestLab.with(machines: 2) { lab in
                let tenant = try await lab.createTenant("demo", replicas: 2)
                for number in 1...2 { try await tenant.apply(Self.pod(number)) }
                try await tenant.kubectl("wait", "--for=condition=Ready", "pod/talker-1", "pod/talker-2", "--timeout=300s")

                // All on worker-1, whose agent stays; worker-2's does not.
                async let logs = tenant.shell("timeout -s INT 60 \(tenant.kubectl) logs -f talker-1 || true")
                async let echo = tenant.shell(Self.talk(tenant))
                async let copies = tenant.shell(Self.copyThereAndBack(tenant))
                async let pages = tenant.shell(Self.fetchPages(tenant))
                for _ in 0..<6 {
                    try await lab.onMachine("worker-2", "systemctl restart nestbox-node")
                    try await CommandRun.eventually(within: .seconds(30), "exec on worker-2") {
                        _ = try await tenant.shell("timeout 10 \(tenant.kubectl) exec talker-2 -- true")
                    }
                    try await Task.sleep(for: .seconds(4))
                }
                let lines = try await logs.split(separator: "\n").compactMap { Int($0) }
                #expect(lines.count > 100, "\(lines.count) lines")
                #expect(zip(lines, lines.dropFirst()).allSatisfy { $0 + 1 == $1 }, "lines are missing")
                #expect(try await echo == (1...200).map { "\($0)\n" }.joined())
                let sums = Set(try await copies.split(separator: "\n").map { $0.prefix { $0 != " " } })
                #expect(sums.count == 1, "what was sent, what arrived and what came back: \(sums)")
                #expect(try await pages == "200\n")

                // The agent that carried them: what was open ends, and what is new works.
                try await lab.onMachine("worker-1", "systemctl restart nestbox-node")
                try await CommandRun.eventually(within: .seconds(30), "logs from worker-1") {
                    let lines = try await tenant.shell("timeout 10 \(tenant.kubectl) logs --tail=3 talker-1")
                    guard lines.split(separator: "\n").count == 3 else { throw CommandRun.Failed(description: lines) }
                }
            }
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
                  command: [sh, -c]
                  args:
                    - |
                      mkdir /tmp/www && echo page > /tmp/www/index.html && httpd -p 8080 -h /tmp/www
                      i=0; while true; do echo $i; i=$((i+1)); sleep 0.1; done
            """
        }

        /// Types 200 lines, five a second, and gives back what came.
        private static func talk(_ tenant: CommandRun) -> String {
            "for i in $(seq 200); do echo $i; sleep 0.2; done | timeout 300 \(tenant.kubectl) exec -i talker-1 -- cat"
        }

        /// 500 MB into the pod and out of it; the hashes of the three.
        private static func copyThereAndBack(_ tenant: CommandRun) -> String {
            """
            set -e
            cd "$(mktemp -d)" && trap 'rm -rf "$PWD"' EXIT
            head -c 500000000 /dev/urandom > there
            timeout 600 \(tenant.kubectl) cp there talker-1:/tmp/there
            timeout 600 \(tenant.kubectl) cp talker-1:/tmp/there back >/dev/null
            sha256sum there back
            timeout 60 \(tenant.kubectl) exec talker-1 -- sha256sum /tmp/there
            """
        }

        /// 200 requests through one port-forward; how many were answered well.
        private static func fetchPages(_ tenant: CommandRun) -> String {
            """
            set -e
            timeout 300 \(tenant.kubectl) port-forward pod/talker-1 :8080 > "$KUBECONFIG.pages" &
            trap 'kill %1' EXIT
            for _ in $(seq 100); do grep -q Forwarding "$KUBECONFIG.pages" && break; sleep 0.1; done
            address=$(grep -o '127.0.0.1:[0-9]*' "$KUBECONFIG.pages" | head -1)
            for _ in $(seq 200); do curl -fsS --max-time 10 "http://$address/"; done | grep -c page
            """
        }
    }
}
