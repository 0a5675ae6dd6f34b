import Foundation
import TestCommands
import Testing

extension InTheLab {
    /// Machines that the operator cannot reach: what happens on them a person types there.
    @Suite("Joined without SSH", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(40)))
    struct JoinedWithoutSSH {
        @Test func oneCommandMakesOneMachineANodeOnce() async throws {
            try await TestLab.with(machines: 2) { lab in
                let addresses = try await lab.forgetMachines(["worker-1", "worker-2"])
                try await lab.host.nestbox(
                    "create", "cluster", "demo", "--version", lab.version, "--wait", "--timeout", "600")
                try await lab.host.nestbox("create", "nodepool", "workers", "--cluster", "demo", "--replicas", "1")
                let command = try await lab.host.nestbox(
                    "token", "create", "worker-1", "--nodepool", "workers", "--address", addresses["worker-1"] ?? "")
                #expect(try await lab.host.nestbox("token", "command", "worker-1") == command)
                let tenant = try await lab.tenant("demo")

                // Handed to the wrong machine, or changed on the way, it does nothing.
                let wrong = try await lab.typed(on: "worker-2", command)
                #expect(wrong.code != 0 && wrong.error.contains("is not the machine that this was made for"), "\(wrong)")
                #expect(try await lab.onMachine("worker-2", "ls -d /etc/nestbox /opt/nestbox 2>/dev/null || true") == "")
                let changed = try await lab.typed(
                    on: "worker-1", command.replacingOccurrences(of: "&& echo '", with: "&& echo >> nestbox-join-worker-1.sh && echo '"))
                #expect(changed.code != 0 && changed.error.contains("did NOT match"), "\(changed)")
                #expect(try await lab.onMachine("worker-1", "ls -d /etc/nestbox /opt/nestbox 2>/dev/null || true") == "")

                let typed = try await lab.typed(on: "worker-1", command)
                #expect(typed.code == 0, "\(typed)")
                try await tenant.kubectl("wait", "--for=condition=Ready", "node/worker-1", "--timeout=180s")
                try await CommandRun.eventually("worker-1 to be Ready") {
                    let phase = try await lab.phase(of: "worker-1")
                    guard phase == "Ready" else { throw CommandRun.Failed(description: phase) }
                }
                try await tenant.expectWorkingPods(on: "worker-1")

                // Its token is used up, and what it fetched is gone: also for one that passes itself off as worker-1.
                try await lab.onMachine("worker-2", "ip address add \(addresses["worker-1"] ?? "")/32 dev lo")
                let second = try await lab.typed(on: "worker-2", command)
                #expect(second.code != 0 && second.error.contains("404"), "\(second)")
                let kept = try #require(command.split(separator: "&& ").last.map(String.init))
                let stale = try await lab.typed(on: "worker-2", kept)
                #expect(stale.code != 0 && stale.error.contains("Join stopped at"), "\(stale)")
                #expect(try await tenant.kubectl("get", "nodes", "-o", "name") == "node/worker-1\n")

                try await leaving(lab, tenant)
            }
        }

        /// Its node is drained, and its owner cleans it.
        private func leaving(_ lab: TestLab, _ tenant: CommandRun) async throws {
            try await tenant.kubectl("delete", "pod", "probe", "--wait")
            try await lab.host.nestbox("machine", "quarantine", "worker-1", "--reason", "the branch closes")
            try await CommandRun.eventually(within: .seconds(300), "worker-1 to be Quarantined") {
                let phase = try await lab.phase(of: "worker-1")
                guard phase == "Quarantined" else { throw CommandRun.Failed(description: phase) }
            }
            #expect(try await tenant.kubectl("get", "nodes", "-o", "name") == "")
            let clean = try await lab.host.nestbox("token", "command", "worker-1")
            let typed = try await lab.typed(on: "worker-1", clean)
            #expect(typed.code == 0, "\(typed)")
            #expect(try await lab.leftovers(on: "worker-1") == "")
            try await lab.host.nestbox("delete", "machine", "worker-1")
            try await lab.host.nestbox("delete", "nodepool", "workers")
            try await lab.host.nestbox("delete", "cluster", "demo")
        }
    }
}

extension TestLab {
    /// Takes machines out of the inventory, and their SSH servers away: nobody reaches them any more. Their addresses.
    func forgetMachines(_ names: [String]) async throws -> [String: String] {
        var addresses: [String: String] = [:]
        for name in names {
            addresses[name] = try await host.kubectl("get", "machine", name, "-o", "jsonpath={.spec.address}")
            try await host.nestbox("delete", "machine", name)
            try await onMachine(name, "systemctl mask --quiet --now ssh.service ssh.socket 2>/dev/null || systemctl stop ssh")
        }
        return addresses
    }

    /// What a person types into a machine's console as root.
    func typed(on machine: String, _ line: String) async throws -> CommandRun.Outcome {
        try await host.outcome(
            "\(CommandRun.products)/nestbox", ["lab", "exec", "--name", name, "--machine", machine, "--", "sh", "-c", "cd /root && \(line)"])
    }
}

extension CommandRun {
    /// For a tenant: a pod on that node reaches the API server as pods do, and answers exec.
    func expectWorkingPods(on node: String) async throws {
        try await apply(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: probe}
            spec:
              nodeName: \(node)
              terminationGracePeriodSeconds: 0
              containers:
              - {name: probe, image: nestbox.dev/busybox:1, imagePullPolicy: IfNotPresent, command: [sleep, "3600"]}
            """)
        try await kubectl("wait", "--for=condition=Ready", "pod/probe", "--timeout=180s")
        // The Service works as soon as kube-proxy has come to it; any answer of the API server's is one.
        try await Self.eventually(within: .seconds(120), "a pod on \(node) to reach kubernetes.default") {
            let told = try await kubectl(
                "exec", "probe", "--", "sh", "-c",
                """
                wget -q -O - --no-check-certificate \
                    --header "Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)" \
                    "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/version"
                """)
            guard told.contains("gitVersion") else { throw Failed(description: told) }
        }
    }
}
