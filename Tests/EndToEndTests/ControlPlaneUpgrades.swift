import Foundation
import TestCommands
import TestLoad
import Testing

extension InTheLab {
    /// A tenant's one API server becomes others under a client that never stops asking.
    ///
    /// The newer versions are stamps of the first: they report other numbers and are the same program. That is enough for all that an
    /// upgrade moves, and says nothing about Kubernetes' own changes between versions.
    @Suite("Control planes are upgraded", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(30)))
    struct ControlPlaneUpgrades {
        @Test(.enabled(if: !TestKubernetes.isGiven)) func underLoadAndBackAgain() async throws {
            // The first patch is the stamp that the lab makes anyway.
            let computer = CommandRun(environment: ["NESTBOX_BIN": CommandRun.products])
            try await computer.nestbox("artifacts", "get", "v1.21.0", "--stamp-of", TestLab.hostVersion)
            try await writeOver("v1.21.0", by: "v1.22.0", on: computer)
            try await TestLab.with(machines: 0, tenantVersions: ["v1.21.0", "v1.22.0"], stamp: true) { lab in
                try #require(lab.version == "v1.20.2", "the steps are of these versions")
                try await lab.host.nestbox(
                    "create", "cluster", "demo", "--version", lab.version, "--release", "v0.1.0", "--wait", "--timeout", "600")
                let tenant = try await lab.tenant("demo")
                let cluster = try await UpgradedCluster(lab)
                try await anotherOperatorRollsNobody(cluster)

                let log = LoadLog()
                try await lab.underLoad(tenant, log) { load in
                    try await watchingTheService(cluster) { try await steps(cluster, log) }
                    #expect(try await load.lost() == [])
                }
                let record = await log.record
                for line in record.table + record.failures { print(line) }
                // One replica surges: what a client tries again comes through. A release moves etcd's one member too, which restarts.
                for step in ["to v1.20.3", "to v1.21.0"] {
                    #expect(record.failed(during: step) == 0, "\(step): \(record.failures)")
                }
            }
        }

        /// The binaries that were given are the only ones of theirs: one step, to a stamp of them.
        @Test(.enabled(if: TestKubernetes.isGiven)) func toTheNextPatchOfTheGivenVersion() async throws {
            try await TestLab.with(machines: 0, stamp: true) { lab in
                try await lab.host.nestbox("create", "cluster", "demo", "--version", lab.version, "--wait", "--timeout", "600")
                let tenant = try await lab.tenant("demo")
                let cluster = try await UpgradedCluster(lab)
                let log = LoadLog()
                try await lab.underLoad(tenant, log) { load in
                    try await watchingTheService(cluster) { try await upgrade(cluster, to: lab.stamp, log) }
                    #expect(try await load.lost() == [])
                }
                let record = await log.record
                for line in record.table { print(line) }
                #expect(record.failures == [])
            }
        }

        private func upgrade(_ cluster: UpgradedCluster, to version: String, _ log: LoadLog) async throws {
            await log.begins("to \(version)")
            let start = ContinuousClock.now
            try await cluster.upgrade("--to", version)
            print("upgraded to \(version) in \(ContinuousClock.now - start)")
            #expect(try await cluster.status("version") == version)
            #expect(try await cluster.images().contains("registry.k8s.io/kube-apiserver:\(version)"))
            await log.begins(ServiceRecord.rest)
            try await cluster.controllersLead()
        }

        /// The same programs under a number more.
        private func writeOver(_ version: String, by stamp: String, on computer: CommandRun) async throws {
            try await computer.shell(
                """
                set -e
                folder=$(mktemp -d)
                trap 'rm -r "$folder"' EXIT
                cp "${NESTBOX_CACHE:-$HOME/.cache/nestbox}"/kubernetes/\(version)/*/bin/kube* "$folder"
                LC_ALL=C sed -i 's/\(version.replacingOccurrences(of: ".", with: "\\."))/\(stamp)/g' "$folder"/*
                "$NESTBOX_BIN"/nestbox artifacts import \(stamp) "$folder"
                """)
        }

        private func steps(_ cluster: UpgradedCluster, _ log: LoadLog) async throws {
            try await Task.sleep(for: .seconds(5))
            try await refusalsTouchNothing(cluster)
            for version in ["v1.20.3", "v1.21.0"] { try await upgrade(cluster, to: version, log) }
            await log.begins("a failed upgrade")
            try await oneWithoutAnImageIsTakenBack(cluster)

            await log.begins("to release v0.2.0")
            try await cluster.upgrade("--release", "v0.2.0")
            #expect(try await cluster.status("release") == "v0.2.0")
            #expect(try await cluster.images().contains("nestbox.dev/nestbox-tunnel:v0.2.0"))

            // What this stamp is of knows no EndpointSlice v1, which 1.22 has: the operator says so then, and cannot put it there.
            await log.begins("etcd too, to v1.22.0")
            let start = ContinuousClock.now
            try await cluster.upgrade("--to", "v1.22.0")
            print("upgraded to v1.22.0, etcd too, in \(ContinuousClock.now - start)")
            let etcd = try await cluster.kubectl("get", "pod", "etcd-0", "-o", "jsonpath={.spec.containers[0].image}")
            #expect(etcd == "registry.k8s.io/etcd:3.5.24-0")
            #expect(try await cluster.kubectl("get", "jobs", "-o", "jsonpath={.items[*].status.succeeded}") == "1")
            await log.begins(ServiceRecord.rest)
            try await Task.sleep(for: .seconds(5))
            print(try await cluster.status("versionHistory"))
        }

        private func anotherOperatorRollsNobody(_ cluster: UpgradedCluster) async throws {
            let before = try await cluster.pods()
            let host = cluster.lab.host
            try await host.kubectl("-n", "nestbox-system", "rollout", "restart", "deployment/nestbox-control-planes")
            try await host.kubectl("-n", "nestbox-system", "rollout", "status", "deployment/nestbox-control-planes", "--timeout=180s")
            // It has looked at the cluster once it has answered a question about it.
            try await host.nestbox("upgrade", "cluster", "demo", "--to", "v1.20.2", "--check")
            #expect(try await cluster.pods() == before)
            #expect(try await cluster.status("release") == "v0.1.0")
            #expect(try await cluster.images().contains("nestbox.dev/nestbox-tunnel:v0.1.0"))
        }

        private func refusalsTouchNothing(_ cluster: UpgradedCluster) async throws {
            let before = try await cluster.pods()
            let skip = try await cluster.outcome("--to", "v1.22.0")
            #expect(
                skip.code == 1 && skip.error.contains("v1.22.0 is more than one minor release after v1.20.2: upgrade to 1.21 first"),
                "\(skip)")
            // Also past the CLI: the spec says it, and the operator refuses.
            try await cluster.lab.host.kubectl("patch", "hc", "demo", "--type=merge", "-p", #"{"spec": {"version": "v1.22.0"}}"#)
            _ = try await CommandRun.eventually(within: .seconds(30), "the spec to be refused") {
                let told = try await cluster.status("conditions[?(@.type==\"ValidConfiguration\")].message")
                guard told.contains("upgrade to 1.21 first") else { throw CommandRun.Failed(description: told) }
            }
            try await cluster.lab.host.kubectl("patch", "hc", "demo", "--type=merge", "-p", #"{"spec": {"version": "v1.20.2"}}"#)
            let check = try await cluster.outcome("--to", "v1.20.3", "--check")
            print(check.output)
            #expect(check.code == 0 && check.output.contains("Etcd") && !check.output.contains("Failed"), "\(check)")
            #expect(try await cluster.pods() == before)
        }

        /// Its image is nowhere: what serves goes on serving, and is gone back to.
        private func oneWithoutAnImageIsTakenBack(_ cluster: UpgradedCluster) async throws {
            // The one that was replaced last takes its time to end.
            let before = try await CommandRun.eventually(within: .seconds(60), "etcd and one control-plane pod to be left") {
                let pods = try await cluster.pods()
                guard pods.count == 2 else { throw CommandRun.Failed(description: "\(pods)") }
                return pods
            }
            #expect(try await cluster.outcome("--to", "v1.21.9").code == 0)
            let words = try await CommandRun.eventually(within: .seconds(90), "the operator to say what is wrong") {
                let told = try await cluster.status("conditions[?(@.type==\"Progressing\")].message")
                guard told.contains("ImagePull") || told.contains("ErrImage") else { throw CommandRun.Failed(description: told) }
                return told
            }
            print("a failed upgrade says: \(words)")
            #expect(words.contains("0 of 1 replicas are new and ready") && words.contains("kube-apiserver"))
            #expect(try await cluster.status("version") == "v1.21.0")
            #expect(try await cluster.pods().isSuperset(of: before))
            try await cluster.upgrade("--to", "v1.21.0")
            #expect(try await cluster.status("versionHistory[*].state").hasSuffix("Withdrawn"))
            _ = try await CommandRun.eventually(within: .seconds(60), "the pods that failed to go") {
                let pods = try await cluster.pods()
                guard pods == before else { throw CommandRun.Failed(description: "\(pods)") }
            }
        }

        /// Runs `body` and looks meanwhile whether `default/kubernetes` has its address, whoever serves.
        private func watchingTheService(_ cluster: UpgradedCluster, _ body: () async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await watchTheService(cluster) }
                defer { group.cancelAll() }
                try await body()
            }
        }

        private func watchTheService(_ cluster: UpgradedCluster) async throws {
            let tenant = try await cluster.lab.tenant("demo")
            var looks = 0
            while !Task.isCancelled {
                do {
                    let found = try await tenant.kubectl(
                        "get", "endpoints", "kubernetes", "-o", "jsonpath={.subsets[*].addresses[*].ip}", "--request-timeout=5s")
                    looks += 1
                    if found != "172.20.0.1" { Issue.record("default/kubernetes has the addresses \"\(found)\"") }
                } catch {
                    // That it cannot be asked is the load's to count.
                }
                do { try await Task.sleep(for: .milliseconds(500)) } catch { break }
            }
            print("default/kubernetes was looked at \(looks) times")
        }
    }

    /// The cluster that is upgraded, as its provider sees it.
    private struct UpgradedCluster {
        let lab: TestLab
        let namespace: String

        init(_ lab: TestLab) async throws {
            self.lab = lab
            namespace = try await lab.host.kubectl("get", "hc", "demo", "-o", "jsonpath={.status.controlPlaneNamespace}")
        }

        func outcome(_ arguments: String...) async throws -> CommandRun.Outcome {
            try await lab.host.outcome("\(CommandRun.products)/nestbox", ["upgrade", "cluster", "demo"] + arguments)
        }

        func upgrade(_ arguments: String...) async throws {
            try await lab.host.nestbox(["upgrade", "cluster", "demo"] + arguments + ["--wait", "--timeout", "300"])
        }

        func status(_ field: String) async throws -> String {
            try await lab.host.kubectl("get", "hc", "demo", "-o", "jsonpath={.status.\(field)}")
        }

        func kubectl(_ arguments: String...) async throws -> String { try await lab.host.kubectl(["-n", namespace] + arguments) }

        /// The UIDs of all pods, and how often their containers were restarted.
        func pods() async throws -> Set<String> {
            let text = try await kubectl(
                "get", "pods", "-o",
                "jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.status.containerStatuses[*].restartCount}{\"\\n\"}{end}")
            return Set(text.split(separator: "\n").map(String.init))
        }

        func images() async throws -> Set<String> {
            let text = try await kubectl(
                "get", "deployment", "control-plane", "-o", "jsonpath={.spec.template.spec.containers[*].image}")
            return Set(text.split(separator: " ").map(String.init))
        }

        /// Of the two that ran side by side for a moment, one leads.
        func controllersLead() async throws {
            let tenant = try await lab.tenant("demo")
            let pods = Set(
                try await kubectl("get", "pods", "-l", "nestbox.dev/component=control-plane", "-o", "jsonpath={.items[*].metadata.name}")
                    .split(separator: " ").map(String.init))
            for component in ["kube-controller-manager", "kube-scheduler"] {
                _ = try await CommandRun.eventually(within: .seconds(60), "a new \(component) to lead") {
                    let holder = try await tenant.kubectl(
                        "-n", "kube-system", "get", "lease", component, "-o", "jsonpath={.spec.holderIdentity}")
                    guard pods.contains(where: { holder.hasPrefix($0 + "_") }) else { throw CommandRun.Failed(description: holder) }
                }
            }
        }
    }
}
