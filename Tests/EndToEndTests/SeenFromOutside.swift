import Foundation
import TestCommands
import Testing

/// What a provider sees of a tenant that runs: metrics, events, and a dump of everything without its secrets.
struct SeenFromOutside {
    let lab: TestLab
    /// With this many nodes, all ready.
    let nodes: Int

    func check() async throws {
        try await metricsTellOfTheTenant()
        try await transitionsAreEvents()
        try await aDumpHoldsLogsAndNoSecrets()
    }

    private func pods(_ namespace: String, _ label: String) async throws -> [String] {
        try await lab.host.kubectl("-n", namespace, "get", "pods", "-l", label, "-o", "jsonpath={.items[*].metadata.name}")
            .split(separator: " ").map(String.init)
    }

    private func scrape(_ pod: String, _ namespace: String, port: Int) async throws -> String {
        try await lab.host.kubectl("get", "--raw", "/api/v1/namespaces/\(namespace)/pods/\(pod):\(port)/proxy/metrics")
    }

    private func controlPlane() async throws -> String {
        try await lab.host.kubectl("get", "hostedcluster", "demo", "-o", "jsonpath={.status.controlPlaneNamespace}")
    }

    private func metricsTellOfTheTenant() async throws {
        let leader = try #require(try await pods("nestbox-system", "app.kubernetes.io/name=nestbox-control-planes").first)
        let own = #"cluster="demo",namespace="default""#
        try await CommandRun.eventually(within: .seconds(60), "the operator's metrics") {
            let text = try await scrape(leader, "nestbox-system", port: 8080)
            for line in [
                #"nestbox_hostedcluster_condition{\#(own),status="True",type="Available"} 1"#,
                #"nestbox_hostedcluster_nodes{\#(own),state="ready"} \#(nodes)"#,
                #"nestbox_hostedcluster_control_plane_replicas{\#(own),state="ready"} 1"#,
                #"nestbox_hostedcluster_etcd_members{\#(own),state="ready"} 1"#,
                #"nestbox_nodepool_replicas{\#(own),nodepool="workers",state="ready"} \#(nodes)"#,
                #"nestbox_machines{phase="Ready"} \#(nodes)"#,
                #"leader_election_master_status{name="nestbox-control-planes"} 1"#,
                #"workqueue_depth{controller="hostedcluster",name="hostedcluster"} 0"#,
            ] where !text.contains(line + "\n") { throw CommandRun.Failed(description: "\(line) is not in\n\(text)") }
        }
        let other = try #require(try await pods("nestbox-system", "app.kubernetes.io/name=nestbox-machines").first)
        let text = try await scrape(other, "nestbox-system", port: 8080)
        #expect(text.contains(#"leader_election_master_status{name="nestbox-machines"} 1"#) && !text.contains("nestbox_hostedcluster"))

        // What the PodMonitors of manifests/monitoring read.
        let namespace = try await controlPlane()
        let etcd = try await scrape("etcd-0", namespace, port: 2381)
        #expect(etcd.contains("etcd_server_has_leader 1"))
        let tunnel = try #require(try await pods(namespace, "nestbox.dev/component=control-plane").first)
        #expect(try await scrape(tunnel, namespace, port: 8134).contains("nestbox_tunnel_agents \(nodes)\n"))
    }

    private func transitionsAreEvents() async throws {
        let events = try await lab.host.kubectl(
            "get", "events", "-n", "default", "-o",
            #"jsonpath={range .items[*]}{.involvedObject.kind} {.type} {.reason} {.message}{"\n"}{end}"#)
        #expect(events.contains("HostedCluster Normal Serving Available is True"), "\(events)")
        #expect(events.contains("Machine Normal PhaseChanged went from Joining to Ready, held by default/workers"), "\(events)")
        #expect(!events.contains("HostedCluster Warning NotServing"), "nothing is wrong with a cluster that starts: \(events)")
    }

    private func aDumpHoldsLogsAndNoSecrets() async throws {
        let archive = lab.folder.appendingPathComponent("demo.tar.gz").path
        try await lab.host.nestbox("debug", "dump", "cluster", "demo", "-o", archive)
        try await lab.host.shell("tar -C '\(lab.folder.path)' -xzf '\(archive)'")
        let folder = lab.folder.appendingPathComponent("demo").path
        var files: [String: String] = [:]
        for file in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(file)") else { continue }
            files[file] = String(decoding: data, as: UTF8.self)
        }
        let logs = files.keys.filter { $0.hasSuffix(".log") }
        for part in ["_kube-apiserver", "_tunnel", "_etcd", "operators/logs/nestbox-control-planes", "operators/logs/nestbox-machines"] {
            #expect(logs.contains { $0.contains(part) }, "no log of \(part): \(files.keys.sorted())")
        }
        #expect(
            files["machines/machines.yaml"]?.contains("worker-1") == true && files["missing.txt"] == nil, "\(files["missing.txt"] ?? "")")
        #expect(files["default_demo/control-plane/secrets.yaml"]?.contains("commonName: kube-apiserver") == true)
        let secrets = try await secrets()
        #expect(secrets.count > 10)
        for (file, text) in files {
            #expect(!text.contains("PRIVATE KEY"), "\(file)")
            for (name, value) in secrets where text.contains(value) { Issue.record("\(file) holds what Secret \(name) does") }
        }
    }

    /// Of every Secret: lines of private keys, and tokens, as they are and in Base64.
    private func secrets() async throws -> [(name: String, value: String)] {
        let json = try await lab.host.kubectl("get", "secrets", "-A", "-o", "json")
        let list = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        var found: [(name: String, value: String)] = []
        for secret in list["items"] as? [[String: Any]] ?? [] {
            let name = (secret["metadata"] as? [String: Any])?["name"] as? String ?? ""
            for (key, encoded) in secret["data"] as? [String: String] ?? [:] {
                guard let data = Data(base64Encoded: encoded) else { continue }
                let text = String(decoding: data, as: UTF8.self)
                if text.contains("PRIVATE KEY-----\n") {
                    found += text.split(separator: "\n").filter { $0.count > 40 && !$0.contains("-----") }.map {
                        ("\(name)/\(key)", String($0))
                    }
                    found.append(("\(name)/\(key)", encoded))
                } else if key == "token" || key.hasSuffix("password") {
                    found += [("\(name)/\(key)", text), ("\(name)/\(key)", encoded)]
                } else if text.contains("client-key-data") {
                    let line = text.split(separator: "\n").first { $0.contains("client-key-data") }?.split(separator: ":").last
                    if let line { found.append(("\(name)/\(key)", line.trimmingCharacters(in: .whitespaces))) }
                }
            }
        }
        return found
    }
}
