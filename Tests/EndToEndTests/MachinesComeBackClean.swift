import Foundation
import TestCommands
import Testing

extension InTheLab {
    /// What a tenant had and gives back is what it was, whatever happened on the way, or is Quarantined and says why.
    @Suite("Machines come back clean", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(60)))
    struct MachinesComeBackClean {
        private static let machine = "worker-1"

        @Test func whateverHappensOnTheWay() async throws {
            try await TestLab.with(machines: 1) { lab in
                let bare = try await BareMachine(Self.machine, in: lab)
                let keys = try await hostKeys(lab)
                let tenant = try await lab.createTenant("demo", replicas: 1)
                try await useIt(tenant)
                try await restartsItsNode(lab, tenant)
                try await giveBack(lab)
                try await expect(lab, bare, "after a tenant's pods")
                #expect(try await hostKeys(lab).isDisjoint(with: keys), "host keys are made anew")

                // Rebooted in the middle of a join, and of a clean.
                try await scale(lab, 1)
                try await onceAt(lab, "Joining", after: "KeepFolders") { try await reboot(lab) }
                try await untilReady(lab, tenant)
                try await scale(lab, 0)
                try await onceAt(lab, "Cleaning", after: "Claim") { try await reboot(lab) }
                try await lab.expectClean(Self.machine)
                try await expect(lab, bare, "after reboots in the middle")

                // The line cut in the middle of both.
                try await scale(lab, 1)
                try await onceAt(lab, "Joining", after: "KeepFolders") { try await cutLine(lab, for: .seconds(20)) }
                try await untilReady(lab, tenant)
                try await scale(lab, 0)
                try await onceAt(lab, "Cleaning", after: "StopServices") { try await cutLine(lab, for: .seconds(20)) }
                try await lab.expectClean(Self.machine)
                try await expect(lab, bare, "after cut lines")
            }
        }

        @Test func orIsQuarantinedAndSaysWhy() async throws {
            try await TestLab.with(machines: 2) { lab in
                // A disk that is filled while it joins.
                try await lab.onMachine(Self.machine, "mount -t tmpfs -o size=700m tmpfs /opt")
                try await lab.host.nestbox("create", "cluster", "demo", "--version", lab.version, "--wait", "--timeout", "600")
                try await lab.host.nestbox("create", "nodepool", "workers", "--cluster", "demo", "--replicas", "1")
                try await onceAt(lab, "Joining", after: "Baseline") {
                    try await lab.onMachine(Self.machine, "head -c 800M /dev/zero > /opt/filler; true")
                }
                let full = try await quarantine(lab, Self.machine)
                #expect(full.contains("the file system /opt has "), "\(full)")
                #expect(full.contains("make room there"), "\(full)")
                #expect(full.contains("nestbox machine clean worker-1"), "\(full)")

                // Its place is taken by the other one, on which a pod writes where no volume of Kubernetes' is.
                let tenant = try await lab.tenant("demo")
                try await untilReady(lab, tenant, "worker-2")
                try await tenant.apply(Self.planter)
                try await CommandRun.eventually("the pod to plant its file") {
                    _ = try await lab.onMachine("worker-2", "test -s /srv/planted/customers.db")
                }
                try await scale(lab, 0)
                let planted = try await quarantine(lab, "worker-2")
                #expect(planted.contains("file that was not there before: /srv/planted/customers.db"), "\(planted)")

                try await reimages(lab, "worker-2")
            }
        }

        /// What is said to be installed anew and is not is refused; what is, is a new machine for anybody.
        private func reimages(_ lab: TestLab, _ machine: String) async throws {
            try await lab.host.nestbox("machine", "reimaged", machine)
            try await CommandRun.eventually("it to be refused") {
                let reason = try await lab.host.kubectl(
                    "get", "machine", machine, "-o", "jsonpath={.status.conditions[?(@.type==\"Registered\")].reason}")
                guard reason == "NotReimaged" else { throw CommandRun.Failed(description: "it says \"\(reason)\"") }
            }
            // Another disk, with another system of the same name and address on it.
            for count in ["1", "2"] {
                try await lab.host.nestbox("lab", "up", "--name", lab.name, "--machines", count, "--version", TestLab.hostVersion)
            }
            try await lab.expectClean(machine)
            #expect(try await lab.host.kubectl("get", "machine", machine, "-o", "jsonpath={.status.lastTenant}") == "")

            // And as a policy, without any accident.
            try await lab.host.kubectl("patch", "machine", machine, "--type=merge", "-p", #"{"spec": {"reuse": "Reimage"}}"#)
            try await scale(lab, 1)
            try await untilReady(lab, try await lab.tenant("demo"), machine)
            try await scale(lab, 0)
            try await CommandRun.eventually(within: .seconds(300), "\(machine) to wait for being installed anew") {
                let phase = try await lab.phase(of: machine)
                guard phase == "Reimaging" else { throw CommandRun.Failed(description: "it is \(phase)") }
            }
        }

        private static let planter = """
            apiVersion: v1
            kind: Pod
            metadata: {name: planter}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - name: main
                  image: nestbox.dev/busybox:1
                  imagePullPolicy: IfNotPresent
                  command: [sh, -c, 'echo secret > /data/customers.db; sleep 100000']
                  volumeMounts: [{name: data, mountPath: /data}]
              volumes: [{name: data, hostPath: {path: /srv/planted, type: DirectoryOrCreate}}]
            """

        // MARK: What a tenant does with it

        /// Volumes of several kinds, a Service, a static pod, root on the node, and what all of that writes.
        private func useIt(_ tenant: CommandRun) async throws {
            try await tenant.kubectl("apply", "-f", "manifests/samples/hello.yaml")
            try await tenant.apply(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: root-of-the-node}
                spec:
                  hostNetwork: true
                  hostPID: true
                  terminationGracePeriodSeconds: 1
                  containers:
                    - name: main
                      image: nestbox.dev/busybox:1
                      imagePullPolicy: IfNotPresent
                      securityContext: {privileged: true}
                      command: [sh, -c]
                      args:
                        - |
                          echo secret > /host/tmp/secret; echo secret > /host/var/tmp/secret; echo secret > /scratch/secret
                          echo secret >> /host/var/log/secret.log; echo secret > /host/dev/shm/secret
                          sleep 100000
                      volumeMounts:
                        - {name: host, mountPath: /host}
                        - {name: scratch, mountPath: /scratch}
                        - {name: memory, mountPath: /memory}
                  volumes:
                    - {name: host, hostPath: {path: /}}
                    - {name: scratch, emptyDir: {}}
                    - {name: memory, emptyDir: {medium: Memory}}
                """)
            try await tenant.kubectl("rollout", "status", "deployment/hello", "--timeout=300s")
            try await tenant.kubectl("wait", "--for=condition=Ready", "pod/root-of-the-node", "--timeout=120s")
        }

        /// Everything of /run is gone, and the node comes back by its units.
        private func restartsItsNode(_ lab: TestLab, _ tenant: CommandRun) async throws {
            let before = try await tenant.kubectl("get", "node", Self.machine, "-o", "jsonpath={.status.nodeInfo.bootID} {.metadata.uid}")
            let started = try await lab.onMachine(Self.machine, "stat -c %Y /proc/1")
            try await reboot(lab)
            try await CommandRun.eventually(within: .seconds(180), "pods to serve after a reboot") {
                guard try await lab.onMachine(Self.machine, "stat -c %Y /proc/1") != started else {
                    throw CommandRun.Failed(description: "it was not switched off")
                }
                _ = try await tenant.shell("timeout 10 \(tenant.kubectl) exec deployment/hello -- hostname")
            }
            let after = try await tenant.kubectl("get", "node", Self.machine, "-o", "jsonpath={.status.nodeInfo.bootID} {.metadata.uid}")
            #expect(before == after, "the same Node")
        }

        // MARK: What happens to it

        private func reboot(_ lab: TestLab) async throws {
            try await lab.begin(.reboot, on: Self.machine)
        }

        private func cutLine(_ lab: TestLab, for duration: Duration) async throws {
            try await lab.begin(.cut, on: Self.machine)
            try await Task.sleep(for: duration)
            try await lab.end(.cut, on: Self.machine)
        }

        private func scale(_ lab: TestLab, _ replicas: Int) async throws {
            try await lab.host.nestbox("scale", "nodepool", "workers", "--replicas", "\(replicas)")
        }

        private func giveBack(_ lab: TestLab) async throws {
            try await scale(lab, 0)
            try await lab.expectClean(Self.machine)
        }

        private func untilReady(_ lab: TestLab, _ tenant: CommandRun, _ machine: String = Self.machine) async throws {
            try await CommandRun.eventually(within: .seconds(300), "\(machine) to be a Ready node") {
                let phase = try await lab.phase(of: machine)
                guard phase == "Ready" else {
                    throw CommandRun.Failed(description: try await lab.host.kubectl("get", "machine", machine, "-o", "yaml"))
                }
                try await tenant.kubectl("wait", "--for=condition=Ready", "node/\(machine)", "--timeout=1s")
            }
        }

        private func quarantine(_ lab: TestLab, _ machine: String) async throws -> String {
            try await CommandRun.eventually(within: .seconds(300), "\(machine) to be Quarantined") {
                guard try await lab.phase(of: machine) == "Quarantined" else {
                    throw CommandRun.Failed(description: try await lab.host.kubectl("get", "machine", machine, "-o", "yaml"))
                }
                return try await lab.host.kubectl("get", "machine", machine, "-o", "jsonpath={.status.message}")
            }
        }

        /// Does something as soon as the plan is past a step.
        private func onceAt(_ lab: TestLab, _ phase: String, after step: String, _ body: () async throws -> Void) async throws {
            try await CommandRun.eventually(within: .seconds(180), "\(phase) to be past \(step)") {
                let seen = try await lab.host.kubectl(
                    "get", "machine", Self.machine, "-o",
                    "jsonpath={.status.phase} {range .status.plan.steps[?(@.state==\"Succeeded\")]}{.name} {end}")
                guard seen.hasPrefix(phase), seen.contains(" \(step) ") else { throw CommandRun.Failed(description: seen) }
            }
            try await body()
        }

        private func hostKeys(_ lab: TestLab) async throws -> Set<String> {
            Set(try await lab.onMachine(Self.machine, "cat /etc/ssh/ssh_host_*.pub").split(separator: "\n").map(String.init))
        }

        private func expect(_ lab: TestLab, _ bare: BareMachine, _ when: Comment) async throws {
            // The check's list goes a moment after the Machine is free.
            let differences = try await CommandRun.eventually(within: .seconds(20), "the list of its files to go") {
                _ = try await lab.onMachine(Self.machine, "! ls /var/lib/nestbox-baseline.gz 2> /dev/null")
                return try bare.differences(to: try await BareMachine(Self.machine, in: lab))
            }
            #expect(differences.isEmpty, "\(when): \(differences.prefix(40))")
        }
    }
}
