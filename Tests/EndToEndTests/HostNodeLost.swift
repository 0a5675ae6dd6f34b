import Foundation
import KubernetesClient
import Logging
import TestCommands
import TestLoad
import Testing

extension InTheLab {
    /// Three replicas on three nodes of the host, one of which loses its power.
    @Suite("A node of the host is lost", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(30)))
    struct HostNodeLost {
        private static let lost = "host-3"
        /// What issue 5 asks for.
        private static let limit = 15.0

        @Test func writesAreBack() async throws {
            try await TestLab.with(machines: 1, hostNodes: 3) { lab in
                _ = try await lab.createTenant("demo", controlPlaneReplicas: 3, replicas: 1)
                let namespace = try await lab.host.kubectl(
                    "get", "hostedcluster", "demo", "-o", "jsonpath={.status.controlPlaneNamespace}")
                try await everyNodeHasAReplica(lab, namespace)
                let endpoints = try await lab.host.kubectl(
                    "get", "hostedcluster", "demo", "-o", "jsonpath={.status.apiEndpoints}")
                print("published at \(endpoints)")

                // The kubeconfig names the first address, which survives.
                let kubeconfig = lab.folder.appendingPathComponent("default-demo.kubeconfig").path
                let log = LoadLog()
                let quiet = Logger(label: "load") { _ in SwiftLogNoOpLogHandler() }
                try await KubernetesClient.with(try Load.configuration(kubeconfig: kubeconfig), logger: quiet) { client in
                    let load = Load(client: client, log: log)
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { try await load.run() }
                        group.addTask { try await loseOne(lab, log) }
                        // The load goes on until it is cancelled.
                        try await group.next()
                        group.cancelAll()
                    }
                    let lost = try await load.lost()
                    #expect(lost == [])
                }
            }
        }

        /// The replicas of both, and traffic stays where it arrives.
        private func everyNodeHasAReplica(_ lab: TestLab, _ namespace: String) async throws {
            for component in ["control-plane", "etcd"] {
                let nodes = try await lab.host.kubectl(
                    "-n", namespace, "get", "pods", "-l", "nestbox.dev/component=\(component)", "-o",
                    "jsonpath={.items[*].spec.nodeName}")
                #expect(Set(nodes.split(separator: " ")).count == 3, "\(component) is on \(nodes)")
            }
            try await lab.host.kubectl(
                "-n", namespace, "wait", "--for=condition=Available", "deployment/control-plane", "--timeout=120s")
            _ = try await CommandRun.eventually("the Service to be Local") {
                let policies = try await lab.host.kubectl(
                    "-n", namespace, "get", "services", "kube-apiserver", "tunnel", "-o",
                    "jsonpath={.items[*].spec.externalTrafficPolicy}")
                guard policies == "Local Local" else { throw CommandRun.Failed(description: policies) }
            }
        }

        private func loseOne(_ lab: TestLab, _ log: LoadLog) async throws {
            try await giveCredential(lab)
            try await Task.sleep(for: .seconds(10))
            // Four writers on the worker, each with one connection through its forwarder, as a kubelet has: 4 writes a second for 60 s.
            async let written = writeThroughTheForwarder(lab)
            try await Task.sleep(for: .seconds(10))
            await log.begins("lost")
            print("\(Date()) \(Self.lost) loses its power")
            try await lab.begin(.powerOff, on: Self.lost)
            let (waits, failed) = try await written
            await log.begins("afterwards")
            let record = await log.record
            for line in record.table + record.failures { print(line) }
            let gap = try #require(record.tallies["lost"]?[.update]?.gap)
            print("through a surviving address writes were away for \(gap) s")
            #expect(gap <= Self.limit)
            let worst = waits.max() ?? 0
            print("through the node's forwarder: \(waits.count) writes, \(failed) failed, the longest took \(worst) s")
            #expect(waits.count > 100)
            #expect(worst <= Self.limit)
            let ready = try await lab.tenant("demo").kubectl(
                "get", "nodes", "-o", "jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].status}")
            #expect(ready == "True", "the tenant's node never was away for long")

            try await replaceForGood(lab)
        }

        /// The node does not come back: an admin says so, and etcd's member that had its volume there is had elsewhere.
        private func replaceForGood(_ lab: TestLab) async throws {
            try await lab.host.kubectl("delete", "node", Self.lost)
            let namespace = try await lab.host.kubectl(
                "get", "hostedcluster", "demo", "-o", "jsonpath={.status.controlPlaneNamespace}")
            let start = ContinuousClock.now
            _ = try await CommandRun.eventually(within: .seconds(300), "three members of etcd on two nodes") {
                let ready = try await lab.host.kubectl("get", "hostedcluster", "demo", "-o", "jsonpath={.status.etcd.ready}")
                let nodes = try await lab.host.kubectl(
                    "-n", namespace, "get", "pods", "-l", "nestbox.dev/component=etcd", "-o",
                    "jsonpath={.items[?(@.status.containerStatuses[0].ready==true)].spec.nodeName}")
                let state = "\(ready) members answer, on \(nodes)"
                guard ready == "3", nodes.split(separator: " ").count == 3, !nodes.contains(Self.lost) else {
                    throw CommandRun.Failed(description: state)
                }
            }
            print("three members again \((ContinuousClock.now - start)) after the node was deleted")
            try await lab.host.kubectl("-n", namespace, "rollout", "status", "deployment/control-plane", "--timeout=300s")
        }

        /// The admin's, as files on the worker.
        private func giveCredential(_ lab: TestLab) async throws {
            let kubeconfig = lab.folder.appendingPathComponent("default-demo.kubeconfig").path
            let fields = ["certificate-authority-data", "client-certificate-data", "client-key-data"]
            for (field, file) in zip(fields, ["ca.crt", "client.crt", "client.key"]) {
                let value = try await lab.host.shell("sed -n 's/^ *\(field): *//p' \(kubeconfig) | tr -d '\"\\n '")
                try await lab.onMachine("worker-1", "mkdir -p /root/load; echo \(value) | base64 -d > /root/load/\(file)")
            }
        }

        /// How long each write took, and how many failed.
        private func writeThroughTheForwarder(_ lab: TestLab) async throws -> (waits: [Double], failed: Int) {
            let said = try await lab.onMachine(
                "worker-1",
                """
                cd /root/load
                for writer in 1 2 3 4; do
                    curl --silent --rate 4/s --cacert ca.crt --cert client.crt --key client.key -X POST \
                        -H 'Content-Type: application/json' -d '{"metadata": {"generateName": "forwarded-"}}' \
                        -o /dev/null -w '%{http_code} %{time_total}\\n' \
                        'https://172.20.0.1:6443/api/v1/namespaces/default/configmaps?timeout=[30-269]s' > writer-$writer &
                    sleep 0.1
                done
                wait
                cat writer-*
                """)
            var (waits, failed): ([Double], Int) = ([], 0)
            for line in said.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count == 2, let wait = Double(words[1]) else { continue }
                waits.append(wait)
                if words[0] != "201" { failed += 1 }
            }
            return (waits, failed)
        }
    }
}
