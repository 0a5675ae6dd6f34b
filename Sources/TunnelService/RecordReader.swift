import FoundationEssentials
import KubernetesAPI
import Tunnel

/// Reads the operator's record from the ConfigMaps that hold it.
enum RecordReader {
    static let namespace = "nestbox-system"
    static let label = "nestbox.dev/record"
    private static let endpointsName = "api-endpoints"

    /// The record, and a sentence for each entry that cannot be read: such a node is not let in.
    static func read(_ objects: [ConfigMap]) -> (record: ClusterRecord, problems: [String]) {
        var nodes: [NodeRecord] = []
        var endpoints: PublishedEndpoints?
        var problems: [String] = []
        for object in objects {
            let data = object.data ?? [:]
            switch object.metadata.labels?[label] {
            case "node":
                do { nodes.append(try node(object.name, data)) } catch { problems.append("\(error)") }
            case "endpoints" where object.name == endpointsName:
                guard let api = Endpoint.list(data["api"] ?? ""), let tunnel = Endpoint.list(data["tunnel"] ?? "") else {
                    problems.append("ConfigMap \(object.key): api or tunnel is not a list of HOST:PORT")
                    continue
                }
                // Written before the control plane is published: nothing to tell nodes yet.
                if !api.isEmpty { endpoints = PublishedEndpoints(api: api, tunnel: tunnel) }
            default: break
            }
        }
        let record = ClusterRecord(nodes: nodes, endpoints: endpoints)
        return (record, problems.sorted() + record.conflicts)
    }

    private struct Unreadable: Error, CustomStringConvertible {
        var description: String
    }

    private static func node(_ name: String, _ data: [String: String]) throws -> NodeRecord {
        func unreadable(_ key: String) -> Unreadable {
            Unreadable(description: "ConfigMap \(namespace)/\(name): \(key) = \"\(OneLine.clean(data[key] ?? ""))\" cannot be read")
        }
        let texts = (data["addresses"] ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
        let addresses = texts.compactMap { IPAddress($0) }
        guard !addresses.isEmpty, addresses.count == texts.count else { throw unreadable("addresses") }
        var record = NodeRecord(name: name, addresses: addresses)
        if let text = data["podCIDR"], !text.isEmpty {
            guard let block = AddressBlock(text) else { throw unreadable("podCIDR") }
            record.podCIDR = block
        }
        if let text = data["notBefore"], !text.isEmpty {
            guard let date = Timestamp.parse(text) else { throw unreadable("notBefore") }
            record.notBefore = Int64(date.timeIntervalSince1970.rounded(.down))
        }
        return record
    }
}
