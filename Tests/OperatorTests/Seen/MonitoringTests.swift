import ControllerRuntime
import Foundation
import KubernetesAPI
import NestboxAPI
import PrometheusMetrics
import TestKubernetes
import Testing
import Tunnel
import Yams

@testable import KubernetesClient
@testable import Operator

/// `manifests/monitoring` and `docs/operations.md`, held to each other and to what the code tells of and says.
@Suite struct MonitoringTests {
    // MARK: What there is

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private static func yaml(_ path: String) throws -> [[String: Any]] {
        try Yams.load_all(yaml: try text(path)).compactMap { $0 as? [String: Any] }
    }

    struct Rule {
        var alert: String
        var expression: String
        var duration: String?
        var labels: [String: String]
        var annotations: [String: String]
    }

    private static func rules() throws -> [Rule] {
        let document = try #require(try yaml("manifests/monitoring/prometheus-rule.yaml").first)
        #expect(document["kind"] as? String == "PrometheusRule")
        let spec = try #require(document["spec"] as? [String: Any])
        #expect(Set(spec.keys) == ["groups"])
        let groups = try #require(spec["groups"] as? [[String: Any]])
        #expect(Set(groups.compactMap { $0["name"] as? String }).count == groups.count)
        return try groups.flatMap { group in
            #expect(Set(group.keys) == ["name", "rules"])
            return try #require(group["rules"] as? [[String: Any]]).map { rule in
                #expect(Set(rule.keys).isSubset(of: ["alert", "expr", "for", "labels", "annotations"]))
                return Rule(
                    alert: try #require(rule["alert"] as? String), expression: try #require(rule["expr"] as? String),
                    duration: rule["for"] as? String, labels: try #require(rule["labels"] as? [String: String]),
                    annotations: try #require(rule["annotations"] as? [String: String]))
            }
        }
    }

    private static func dashboard() throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(try text("manifests/monitoring/dashboard.json").utf8))
    }

    private static func queries() throws -> [(title: String, expression: String)] {
        try #require(try dashboard()["panels"]?.array).flatMap { panel in
            (panel["targets"]?.array ?? []).map { (panel["title"]?.string ?? "", $0["expr"]?.string ?? "") }
        }
    }

    /// The labels of each metric that the code tells of, by its name.
    private static func told() async throws -> [String: Set<String>] {
        // What each part registers with the process as it is made.
        let client = try KubernetesClient(
            ClientConfiguration(server: "http://127.0.0.1:1", identity: ClientIdentity()), userAgent: "test", logger: .quiet)
        _ = Informer<Machine>(client: client, logger: .quiet)
        _ = LeaderElector(client: client, namespace: "n", name: "nestbox-control-planes", identity: "i", logger: .quiet)
        let world = Controller(name: "hostedcluster", reconciler: Nothing(), logger: .quiet)
        RequestMetrics(registry: .shared, host: "host").answered(.get, code: "200", after: .zero)
        await client.shutdown()
        withExtendedLifetime(world) {}
        var told: [String: Set<String>] = ["nestbox_tunnel_agents": []]
        #expect(try text("Sources/TunnelService/TunnelMetrics.swift").contains("\"nestbox_tunnel_agents\""))
        for series in try Series.read(MetricsRegistry.shared.render() + TunnelCounters().render()) {
            told[series.name, default: []].formUnion(series.labels.keys)
        }
        for metric in FleetMetric.allCases { told[metric.rawValue] = metric.labels }
        return told
    }

    private struct Nothing: Reconciler {
        func reconcile(_ key: ObjectKey) async throws -> ReconcileResult { .done }
    }

    /// Labels that Prometheus puts on what it scrapes: manifests/monitoring.
    private static let fromScraping: Set = ["job", "pod", "instance", "namespace", "cluster"]
    private static let functions: Set = [
        "sum", "max", "min", "count", "rate", "time", "absent", "sort", "histogram_quantile",
    ]

    // MARK: Expressions

    @Test func expressionsAskForWhatIsTold() async throws {
        let told = try await Self.told()
        let queries = try Self.queries()
        let rules = try Self.rules()
        #expect(queries.count > 20 && rules.count > 15)
        for (place, expression) in queries + rules.map({ ($0.alert, $0.expression) }) {
            let query = try PromQL(expression)
            #expect(!query.selectors.isEmpty, "\(place)")
            #expect(query.functions.isSubset(of: Self.functions), "\(place): \(query.functions)")
            var labels = Self.fromScraping
            for selector in query.selectors {
                guard let own = told[selector.metric] else {
                    Issue.record("\(place) asks for \(selector.metric), which nobody tells of")
                    continue
                }
                labels.formUnion(own)
                for matcher in selector.matchers {
                    #expect(own.union(Self.fromScraping).contains(matcher.label), "\(place): \(selector.metric) has no \(matcher.label)")
                    check(matcher, of: selector.metric, place)
                }
            }
            #expect(query.grouped.isSubset(of: labels), "\(place) groups by \(query.grouped)")
        }
    }

    /// A matcher of a list that is fixed asks for what is on it.
    private func check(_ matcher: PromQL.Matcher, of metric: String, _ place: String) {
        let types: [String: [ConditionType]] = [
            FleetMetric.clusterCondition.rawValue: HostedCluster.conditionTypes,
            FleetMetric.poolCondition.rawValue: NodePool.conditionTypes,
            FleetMetric.machineConditions.rawValue: Machine.conditionTypes,
        ]
        let values = matcher.comparison.contains("~") ? matcher.value.split(separator: "|").map(String.init) : [matcher.value]
        let allowed: [String]? =
            switch (matcher.label, metric) {
            case ("type", _): types[metric]?.map(\.name)
            case ("status", _) where types[metric] != nil: ["True", "False", "Unknown"]
            case ("phase", FleetMetric.machines.rawValue): MachinePhase.allCases.map(\.rawValue) + ["Unregistered"]
            case ("state", FleetMetric.poolReplicas.rawValue): ["wanted", "current", "ready", "updated", "terminating"]
            case ("state", FleetMetric.controlPlaneReplicas.rawValue): ["wanted", "ready", "updated"]
            case ("state", FleetMetric.etcdMembers.rawValue): ["wanted", "ready"]
            case ("state", FleetMetric.clusterNodes.rawValue): ["ready", "not_ready"]
            case ("name", "leader_election_master_status"):
                OperatorConfiguration.Role.allCases.map { "nestbox-\($0.rawValue)" } + ["nestbox-.*"]
            default: nil
            }
        guard let allowed else { return }
        for value in values { #expect(allowed.contains(value), "\(place): \(metric) has no \(matcher.label) \(value)") }
    }

    // MARK: Alerts

    @Test func alertsAreWhole() async throws {
        let told = try await Self.told()
        let rules = try Self.rules()
        #expect(Set(rules.map(\.alert)).count == rules.count)
        let headings = Set(try Self.headings(in: "Alerts"))
        for rule in rules {
            #expect(rule.alert.hasPrefix("Nestbox"))
            #expect(["critical", "warning", "info"].contains(rule.labels["severity"]), "\(rule.alert)")
            #expect(rule.duration.map { GoDuration($0) != nil } ?? true, "\(rule.alert)")
            #expect(Set(rule.annotations.keys) == ["summary", "description", "runbook"], "\(rule.alert)")
            #expect(rule.annotations["runbook"] == "docs/operations.md#\(rule.alert.lowercased())")
            #expect(headings.contains(rule.alert), "docs/operations.md has no paragraph ### \(rule.alert) under Alerts")
            let labels = try PromQL(rule.expression).selectors.reduce(into: Self.fromScraping) { $0.formUnion(told[$1.metric] ?? []) }
            for text in rule.annotations.values {
                for match in text.matches(of: /\$labels\.(\w+)/) {
                    #expect(labels.contains(String(match.1)), "\(rule.alert) speaks of $labels.\(match.1)")
                }
                // Templates end.
                #expect(text.matches(of: /\{\{/).count == text.matches(of: /\}\}/).count, "\(rule.alert)")
            }
        }
        #expect(headings == Set(rules.map(\.alert)), "a paragraph of docs/operations.md is of no alert")
    }

    // MARK: The dashboard

    @Test func panelsFitTogether() throws {
        let dashboard = try Self.dashboard()
        let panels = try #require(dashboard["panels"]?.array)
        #expect(Set(panels.compactMap { $0["id"]?.integer }).count == panels.count)
        var taken: Set<String> = []
        for panel in panels {
            let place = try #require(panel["gridPos"])
            let (x, y) = (try #require(place["x"]?.integer), try #require(place["y"]?.integer))
            let (width, height) = (try #require(place["w"]?.integer), try #require(place["h"]?.integer))
            #expect(x + width <= 24)
            for column in x..<(x + width) {
                for line in y..<(y + height) { #expect(taken.insert("\(column),\(line)").inserted, "\(panel["title"]?.string ?? "")") }
            }
            #expect(panel["type"] == "row" || panel["targets"]?.array?.isEmpty == false)
        }
        let variables = Set((dashboard["templating"]?["list"]?.array ?? []).compactMap { $0["name"]?.string })
        for (title, expression) in try Self.queries() {
            for match in expression.matches(of: /\$(\w+)/) { #expect(variables.contains(String(match.1)), "\(title)") }
        }
    }

    @Test(arguments: ["manifests/monitoring", "manifests/monitoring/annotations"])
    func kustomizationsNameEveryFile(folder: String) throws {
        let kustomization = try #require(try Self.yaml("\(folder)/kustomization.yaml").first)
        var named = (kustomization["resources"] as? [String] ?? []) + (kustomization["patchesStrategicMerge"] as? [String] ?? [])
        for generator in kustomization["configMapGenerator"] as? [[String: Any]] ?? [] {
            named += (generator["files"] as? [String] ?? []).compactMap { $0.split(separator: "=").last.map(String.init) }
        }
        let there = try FileManager.default.contentsOfDirectory(atPath: Self.root.appending(path: folder).path)
        #expect(Set(named) == Set(there).subtracting(["kustomization.yaml", "annotations"]))
    }

    /// By what a scrape finds them: ports and labels that the pods have.
    @Test func whatIsScrapedIsThere() throws {
        let monitors = try Self.yaml("manifests/monitoring/operators.yaml") + Self.yaml("manifests/monitoring/control-planes.yaml")
        #expect(monitors.count == 3 && monitors.allSatisfy { $0["kind"] as? String == "PodMonitor" })
        for role in OperatorConfiguration.Role.allCases {
            let deployment = try Self.text("manifests/operator/\(role.rawValue).yaml")
            #expect(deployment.contains("- name: health\n              containerPort: 8080"))
            #expect(try Self.text("manifests/monitoring/annotations/\(role.rawValue).yaml").contains("prometheus.io/port: \"8080\""))
        }
    }

    // MARK: The runbook

    /// Headings of the third and fourth level in a chapter.
    private static func headings(in chapter: String) throws -> [String] {
        let lines = try text("docs/operations.md").split(separator: "\n")
        let start = try #require(lines.firstIndex(of: "## \(chapter)"), "docs/operations.md has no chapter \(chapter)")
        return lines[(start + 1)...].prefix { !$0.hasPrefix("## ") }.compactMap { line in
            ["### ", "#### "].first { line.hasPrefix($0) }.map { String(line.dropFirst($0.count)) }
        }
    }

    @Test func everyConditionHasItsParagraph() throws {
        let headings = try Self.headings(in: "Conditions")
        for (kind, types) in [
            ("HostedCluster", HostedCluster.conditionTypes), ("NodePool", NodePool.conditionTypes), ("Machine", Machine.conditionTypes),
        ] {
            let start = try #require(headings.firstIndex(of: kind))
            let own = headings[(start + 1)...].prefix { !["HostedCluster", "NodePool", "Machine"].contains($0) }
            #expect(
                Set(own) == Set(types.map(\.name)),
                "docs/operations.md, Conditions, \(kind): a condition without a paragraph (####), or a paragraph without a condition")
            #expect(Set(types.map(\.name)).count == types.count && Set(own).count == own.count, "\(kind): twice")
        }
    }

    /// No condition is set that is not on a kind's list: it would be in no metric, and in no runbook.
    @Test func everyConditionThatIsSetIsOnAList() throws {
        let known = Set((HostedCluster.conditionTypes + NodePool.conditionTypes + Machine.conditionTypes).map(\.name))
        let folder = Self.root.appending(path: "Sources/Operator").path
        for file in try FileManager.default.subpathsOfDirectory(atPath: folder) where file.hasSuffix(".swift") {
            let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
            let set = text.matches(of: /(?:set|setUnknown|setCondition)\(\s*"([A-Z]\w+)"/).map(\.1)
            let said = text.matches(of: /say\(\s*\w+,\s*"([A-Z]\w+)"/).map(\.1)
            let named = text.matches(of: /let \w*[cC]ondition\w* = "([A-Z]\w+)"/).map(\.1)
            for type in set + said + named {
                #expect(
                    known.contains(String(type)), "\(file) sets \(type), which is on no list in NestboxAPI/Conditions/ConditionType.swift")
            }
        }
    }

    /// As GitHub makes anchors of headings.
    private static func anchors(_ path: String) throws -> Set<String> {
        var seen: [String: Int] = [:]
        var anchors: Set<String> = []
        for line in try text(path).split(separator: "\n") where line.hasPrefix("#") {
            let heading = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces).lowercased()
            let anchor = String(
                heading.filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" }.map { $0 == " " ? "-" : $0 })
            let times = seen[anchor, default: 0]
            seen[anchor] = times + 1
            anchors.insert(times == 0 ? anchor : "\(anchor)-\(times)")
        }
        return anchors
    }

    @Test func everyLinkOfTheRunbookLeadsSomewhere() throws {
        let links = try Self.text("docs/operations.md").matches(of: /\]\(([^)#\s]*)(?:#([^)\s]+))?\)/)
        #expect(links.count > 50)
        for link in links {
            let page = link.1.isEmpty ? "operations.md" : String(link.1)
            guard let anchors = try? Self.anchors("docs/\(page)") else {
                Issue.record("docs/operations.md links to \(page), which is not there")
                continue
            }
            if let anchor = link.2 { #expect(anchors.contains(String(anchor)), "docs/\(page) has no #\(anchor)") }
        }
    }
}
