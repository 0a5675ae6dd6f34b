import Foundation
import TestCommands
import Testing

extension InTheLab {
    /// What a provider's people do with single machines: register them by file, look at them, take them out of use and back.
    @Suite("Machines by hand", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(40)))
    struct MachinesByHand {
        @Test func everyVerb() async throws {
            try await TestLab.with(machines: 3) { lab in
                try await factsAreLabels(lab)
                try await registeredAgainByFile(lab)
                let tenant = try await lab.createTenant("demo", replicas: 1)
                try await aNodeIsLookedAt(lab, tenant)
                try await outOfUseAndBack(lab)
                try await aDirtyMachineIsFoundAndCleaned(lab)
                try await aReinstalledMachineIsAcceptedAnew(lab)
                try await aKeyIsRotated(lab)
                try await behindAJumpHost(lab, tenant)
                try await aNodeIsQuarantined(lab, tenant)
            }
        }

        private func machine(_ lab: TestLab, _ name: String, _ path: String) async throws -> String {
            try await lab.host.kubectl("get", "machine", name, "-o", "jsonpath={\(path)}")
        }

        private func nestbox(_ lab: TestLab, _ arguments: String...) async throws -> CommandRun.Outcome {
            try await lab.host.outcome("\(CommandRun.products)/nestbox", arguments)
        }

        private func expectSound(_ lab: TestLab, _ name: String) async throws {
            let outcome = try await nestbox(lab, "machine", "check", name)
            #expect(outcome.code == 0 && outcome.output.hasPrefix("\(name): sound\n"), "\(outcome)")
        }

        /// One of them is reached as a user with sudo.
        private func factsAreLabels(_ lab: TestLab) async throws {
            let users = try await lab.host.kubectl("get", "machines", "-o", "jsonpath={.items[*].spec.user}").split(separator: " ")
            #expect(users.contains { $0 != "root" }, "\(users)")
            let all = try await lab.host.kubectl(
                "get", "machines", "-l", "nestbox.dev/arch,nestbox.dev/os=debian,nestbox.dev/cpus,nestbox.dev/memory-gib", "-o", "name")
            #expect(all.split(separator: "\n").count == 3)
            for name in ["worker-1", "worker-2", "worker-3"] { try await expectSound(lab, name) }
            #expect(try await lab.host.kubectl("get", "machines", "-l", "nestbox.dev/arch=s390x", "-o", "name") == "")
        }

        private func registeredAgainByFile(_ lab: TestLab) async throws {
            let file = lab.folder.appendingPathComponent("machines.yaml").path
            var text = ""
            for name in ["worker-1", "worker-2", "worker-3"] {
                text += """
                    apiVersion: nestbox.dev/v1alpha1
                    kind: Machine
                    metadata: {name: \(name)}
                    spec:
                      address: \(try await machine(lab, name, ".spec.address"))
                      user: \(try await machine(lab, name, ".spec.user"))
                      sshKeySecret: \(try await machine(lab, name, ".spec.sshKeySecret"))
                      reuse: AnyTenant
                    ---

                    """
            }
            // One that nobody answers for: it is named, and the others stand.
            let dead =
                text + """
                    apiVersion: nestbox.dev/v1alpha1
                    kind: Machine
                    metadata: {name: nobody}
                    spec: {address: \(try await machine(lab, "worker-1", ".spec.address")), port: 2222, sshKeySecret: ssh-worker-1}
                    """
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            let again = try await nestbox(lab, "create", "machine", "-f", file, "--wait", "--timeout", "60")
            #expect(again.code == 0 && again.output.contains("machine.nestbox.dev/worker-3 unchanged"), "\(again)")
            try Data(dead.utf8).write(to: URL(fileURLWithPath: file))
            let outcome = try await nestbox(lab, "create", "machine", "-f", file, "--wait", "--timeout", "120")
            #expect(outcome.code == 1 && outcome.error.contains("3 of 4 machines are registered; 1 are not"), "\(outcome)")
            #expect(outcome.error.contains("cannot be reached over SSH: "), "\(outcome)")
            try await lab.host.nestbox("delete", "machine", "nobody")
        }

        private func aNodeIsLookedAt(_ lab: TestLab, _ tenant: CommandRun) async throws {
            #expect(try await lab.phase(of: "worker-1") == "Ready")
            let outcome = try await nestbox(lab, "machine", "check", "worker-1")
            #expect(outcome.code == 0 && outcome.output.contains("Services") && outcome.output.contains("Node "), "\(outcome)")
            let lines = try await lab.host.nestbox("machine", "logs", "worker-1", "--unit", "kubelet", "--tail", "20").split(
                separator: "\n")
            #expect(
                lines.count > 5 && lines.count <= 20 && lines.allSatisfy { $0.contains("kubelet") || $0.contains("systemd") }, "\(lines)")
            // What comes is followed; Ctrl-C ends it.
            let code = try await lab.host.whileRunning(
                "\(CommandRun.products)/nestbox", ["machine", "logs", "worker-1", "-f", "--unit", "node", "--tail", "1"]
            ) { running in
                _ = try await running.line(with: "worker-1 ")
                try await lab.onMachine("worker-1", "systemctl restart nestbox-node")
                _ = try await running.line(with: "Started ", within: .seconds(60))
                running.signal(SIGINT)
            }
            #expect(code == 130)
            let clean = try await nestbox(lab, "machine", "clean", "worker-1")
            #expect(clean.code == 1 && clean.error.contains("--force drains its node first"), "\(clean)")

            try await lab.onMachine("worker-1", "systemctl stop nestbox-kubelet")
            let dead = try await nestbox(lab, "machine", "check", "worker-1")
            #expect(dead.code == 1 && dead.output.contains("nestbox-kubelet.service is inactive"), "\(dead)")
            try await lab.onMachine("worker-1", "systemctl start nestbox-kubelet")
        }

        private func outOfUseAndBack(_ lab: TestLab) async throws {
            try await lab.host.nestbox("machine", "quarantine", "worker-2", "--reason", "a fan is dead")
            #expect(try await lab.phase(of: "worker-2") == "Quarantined")
            #expect(try await machine(lab, "worker-2", ".status.message") == "a fan is dead")
            try await lab.host.nestbox("machine", "release", "worker-2", "--wait", "--timeout", "300")
            #expect(try await lab.phase(of: "worker-2") == "Available")
            let free = try await nestbox(lab, "machine", "release", "worker-2")
            #expect(free.code == 1 && free.error.contains("it is Available, and not Quarantined"), "\(free)")
        }

        private func aDirtyMachineIsFoundAndCleaned(_ lab: TestLab) async throws {
            try await lab.onMachine("worker-2", "mkdir -p /etc/kubernetes && echo secret > /etc/kubernetes/admin.conf")
            let dirty = try await nestbox(lab, "machine", "check", "worker-2")
            #expect(dirty.code == 1 && dirty.output.contains("there is: file /etc/kubernetes"), "\(dirty)")
            let key = try await machine(lab, "worker-2", ".status.hostKey")
            try await lab.host.nestbox("machine", "clean", "worker-2", "--wait", "--timeout", "300")
            try await expectSound(lab, "worker-2")
            #expect(try await lab.onMachine("worker-2", "ls /etc/kubernetes 2>/dev/null || true") == "")
            // Its host keys are new, and pinned.
            #expect(try await machine(lab, "worker-2", ".status.hostKey") != key)
        }

        private func aReinstalledMachineIsAcceptedAnew(_ lab: TestLab) async throws {
            try await lab.onMachine("worker-2", "rm /etc/ssh/ssh_host_* && ssh-keygen -q -A && systemctl restart ssh")
            let changed = try await nestbox(lab, "machine", "check", "worker-2")
            #expect(changed.code == 1 && changed.output.contains("someone in between"), "\(changed)")
            let fingerprint = try await lab.onMachine(
                "worker-2", "ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub | cut -d ' ' -f 2"
            ).trimmingCharacters(in: .whitespacesAndNewlines)
            let shown = try await nestbox(lab, "machine", "accept-host-key", "worker-2")
            #expect(shown.code == 1 && shown.error.contains("presents \(fingerprint)"), "\(shown)")
            let wrong = try await nestbox(
                lab, "machine", "accept-host-key", "worker-2", "--fingerprint", "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
            #expect(wrong.code == 1, "\(wrong)")
            try await lab.host.nestbox("machine", "accept-host-key", "worker-2", "--fingerprint", fingerprint)
            try await expectSound(lab, "worker-2")
        }

        private func aKeyIsRotated(_ lab: TestLab) async throws {
            let key = lab.folder.appendingPathComponent("new-key").path
            try await lab.host.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key])
            let refused = try await nestbox(lab, "machine", "rotate-key", "worker-2", "--ssh-key", key)
            #expect(refused.code == 1 && refused.error.contains("refuses the SSH key"), "\(refused)")
            try await expectSound(lab, "worker-2")
            let user = try await machine(lab, "worker-2", ".spec.user")
            let place = try await lab.onMachine("worker-2", "getent passwd \(user) | cut -d : -f 6").trimmingCharacters(
                in: .whitespacesAndNewlines)
            let line = try String(contentsOfFile: key + ".pub", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
            try await lab.onMachine("worker-2", "echo '\(line)' >> \(place)/.ssh/authorized_keys")
            try await lab.host.nestbox("machine", "rotate-key", "worker-2", "--ssh-key", key)
            // The old one goes; the new one is in use.
            try await lab.onMachine("worker-2", "echo '\(line)' > \(place)/.ssh/authorized_keys")
            try await expectSound(lab, "worker-2")
        }

        /// Registered anew behind another; then it becomes a node, and comes back, all through that one.
        private func behindAJumpHost(_ lab: TestLab, _ tenant: CommandRun) async throws {
            let (address, way) = (try await machine(lab, "worker-3", ".spec.address"), try await machine(lab, "worker-1", ".spec.address"))
            let user = try await machine(lab, "worker-1", ".spec.user")
            let list = try await lab.host.nestbox("lab", "machines", "--name", lab.name).split(separator: "\n")
            let words = try #require(list.map { $0.split(separator: " ") }.first { $0.first == "worker-3" })
            try await lab.host.nestbox("delete", "machine", "worker-3")
            try await lab.host.nestbox(
                "create", "machine", "worker-3", "--address", address, "--user", String(words[2]), "--ssh-key", String(words[3]),
                "--jump-host",
                "\(user)@\(way)", "--reuse", "AnyTenant", "--wait", "--timeout", "120")
            #expect(try await machine(lab, "worker-3", ".status.jumpHostKey") == machine(lab, "worker-1", ".status.hostKey"))
            let looked = try await nestbox(lab, "machine", "check", "worker-3")
            #expect(looked.code == 0 && looked.output.contains("(behind jump host \(user)@\(way):22)"), "\(looked)")
            // By the label that the operator gave it and the pool asks for.
            try await lab.host.kubectl("label", "machine", "worker-3", "site=vault")
            try await lab.host.nestbox(
                "create", "nodepool", "vault", "--cluster", "demo", "--replicas", "1", "--machines", "site=vault", "--machines",
                "nestbox.dev/os=debian", "--wait", "--timeout", "600")
            #expect(try await tenant.kubectl("get", "nodes", "-o", "name").contains("node/worker-3"))
            try await lab.host.nestbox("delete", "nodepool", "vault", "--timeout", "600")
            try await CommandRun.eventually("worker-3 to be Available") {
                let phase = try await lab.phase(of: "worker-3")
                guard phase == "Available" else { throw CommandRun.Failed(description: phase) }
            }
            try await expectSound(lab, "worker-3")
        }

        /// It is drained, left as it is, and its pool takes another; then it is let go, and comes back clean.
        private func aNodeIsQuarantined(_ lab: TestLab, _ tenant: CommandRun) async throws {
            try await lab.host.nestbox("machine", "quarantine", "worker-1", "--reason", "smoke was seen")
            try await CommandRun.eventually(within: .seconds(300), "worker-1 to be Quarantined") {
                let phase = try await lab.phase(of: "worker-1")
                guard phase == "Quarantined" else { throw CommandRun.Failed(description: phase) }
            }
            #expect(try await machine(lab, "worker-1", ".status.message") == "smoke was seen")
            #expect(try await lab.onMachine("worker-1", "cat /etc/nestbox/claim") != "")
            try await CommandRun.eventually(within: .seconds(600), "another node to be Ready") {
                let nodes = try await tenant.kubectl("get", "nodes", "--no-headers")
                guard nodes.contains(" Ready "), !nodes.contains("worker-1") else { throw CommandRun.Failed(description: nodes) }
            }
            let dirty = try await nestbox(lab, "machine", "check", "worker-1")
            #expect(dirty.code == 1, "\(dirty)")
            try await lab.host.nestbox("machine", "release", "worker-1", "--wait", "--timeout", "600")
            try await lab.expectClean("worker-1")
        }
    }
}
