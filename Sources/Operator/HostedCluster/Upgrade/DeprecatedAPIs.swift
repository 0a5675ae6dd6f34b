import KubernetesVersions

/// An API that was asked for and that a later Kubernetes does not have, as a tenant's API server counts it.
struct DeprecatedAPI: Equatable, Comparable {
    /// `extensions/v1beta1 ingresses`.
    var name: String
    /// `1.22`, as Kubernetes writes it.
    var removedIn: String
    /// Whether an object was read, made or changed through it, and not only listed or watched: Kubernetes' own controllers (garbage
    /// collection, quota, namespaces) list all that there is.
    var isUsed: Bool

    /// Whether that version no longer has it.
    func isGone(in version: KubernetesVersion) -> Bool {
        KubernetesVersion("v\(removedIn).0").map { $0 <= version } ?? false
    }

    static func < (left: Self, right: Self) -> Bool { left.name < right.name }
}

extension DeprecatedAPI {
    /// From the API server's metrics: `apiserver_requested_deprecated_apis` joined with `apiserver_request_total`, as KEP-1693 means it.
    static func all(inMetrics text: some StringProtocol) -> [DeprecatedAPI] {
        var found: [Resource: String] = [:]
        var used: Set<Resource> = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("apiserver_requested_deprecated_apis{"), let labels = MetricLine.labels(line), MetricLine.value(line) > 0 {
                guard let removed = labels["removed_release"], !removed.isEmpty else { continue }
                found[Resource(labels)] = removed
            } else if line.hasPrefix("apiserver_request_total{"), let labels = MetricLine.labels(line), MetricLine.value(line) > 0,
                let verb = labels["verb"], !["LIST", "WATCH"].contains(verb), labels["code"]?.hasPrefix("2") == true
            {
                used.insert(Resource(labels))
            }
        }
        return found.map { DeprecatedAPI(name: $0.key.description, removedIn: $0.value, isUsed: used.contains($0.key)) }.sorted()
    }

    private struct Resource: Hashable, CustomStringConvertible {
        var group, version, resource, subresource: String

        init(_ labels: [String: String]) {
            group = labels["group"] ?? ""
            version = labels["version"] ?? ""
            resource = labels["resource"] ?? ""
            subresource = labels["subresource"] ?? ""
        }

        var description: String {
            "\(group.isEmpty ? "" : "\(group)/")\(version) \(resource)\(subresource.isEmpty ? "" : "/\(subresource)")"
        }
    }
}

/// A line of Prometheus' text format.
enum MetricLine {
    /// Nil for a line without labels, or one that is broken.
    static func labels(_ line: some StringProtocol) -> [String: String]? {
        guard let open = line.firstIndex(of: "{"), let close = line.lastIndex(of: "}"), open < close else { return nil }
        var labels: [String: String] = [:]
        var rest = line[line.index(after: open)..<close]
        while let equals = rest.firstIndex(of: "=") {
            let name = String(rest[..<equals].drop { $0 == "," || $0 == " " })
            let afterQuote = rest.index(equals, offsetBy: 2, limitedBy: rest.endIndex) ?? rest.endIndex
            var value = ""
            var place = afterQuote
            while place < rest.endIndex, rest[place] != "\"" {
                if rest[place] == "\\" { place = rest.index(after: place) }
                guard place < rest.endIndex else { return nil }
                value.append(rest[place])
                place = rest.index(after: place)
            }
            guard place < rest.endIndex else { return nil }
            labels[name] = value
            rest = rest[rest.index(after: place)...]
        }
        return labels
    }

    /// What it counts; 0 for one that is broken.
    static func value(_ line: some StringProtocol) -> Double {
        line.lastIndex(of: "}").flatMap { close in
            line[line.index(after: close)...].split(separator: " ").first.flatMap { Double($0) }
        } ?? 0
    }
}
