import KubernetesAPI
import KubernetesClient

/// `get` for any kind: lists, prints in the format asked for, and goes on watching when told to.
struct GetObjects<T: KubernetesObject> {
    var columns: [Column<T>]
    var connection: Connection
    var output: OutputOptions
    var names: [String]

    func run() async throws {
        try await connection.run { client, namespace in
            let scope = T.resourceType.namespaced && !output.allNamespaces ? namespace : nil
            let list = try await client.list(T.self, namespace: scope, labels: output.selector)
            let items = names.isEmpty ? list.items : list.items.filter { names.contains($0.name) }
            let missing = names.filter { name in !items.contains { $0.name == name } }
            try show(items, header: true)
            guard missing.isEmpty else {
                throw CommandFailure("not found: \(missing.map { "\(T.resourceType)/\($0)" }.joined(separator: ", "))")
            }
            guard output.watch else { return }
            var version = list.metadata.resourceVersion ?? ""
            while !Task.isCancelled {
                for try await event in client.watch(T.self, namespace: scope, labels: output.selector, resourceVersion: version) {
                    switch event {
                    case .added(let item), .modified(let item), .deleted(let item):
                        version = item.metadata.resourceVersion ?? version
                        if names.isEmpty || names.contains(item.name) { try show([item], header: false) }
                    case .bookmark(let resourceVersion): version = resourceVersion
                    case .undecodable: Terminal.say("warning: an object that this nestbox cannot read was passed over")
                    }
                }
            }
        }
    }

    private func show(_ items: [T], header: Bool) throws {
        switch output.format {
        case .json: Terminal.write(try names.count == 1 && items.count == 1 ? Rendering.json(items[0]) : Rendering.json(list(items)))
        case .yaml: Terminal.write(try names.count == 1 && items.count == 1 ? Rendering.yaml(items[0]) : Rendering.yaml(list(items)))
        case .name: Terminal.write(items.map { "\(T.resourceType)/\($0.name)\n" }.joined())
        case .table, .wide:
            if items.isEmpty, header {
                Terminal.say("No \(T.resourceType.resource) found.")
                return
            }
            var shown = columns.filter { !$0.wide || output.format == .wide }
            if T.resourceType.namespaced, output.allNamespaces { shown.insert(Column(heading: "NAMESPACE") { $0.namespace ?? "" }, at: 0) }
            let rows = items.map { item in shown.map { $0.value(item) } }
            Terminal.write(Rendering.table((header ? [shown.map(\.heading)] : []) + rows))
        }
    }

    private func list(_ items: [T]) -> ItemList { ItemList(items: items) }

    /// kubectl's `kind: List`.
    private struct ItemList: Encodable {
        var apiVersion = "v1"
        var kind = "List"
        var items: [T]
    }
}
