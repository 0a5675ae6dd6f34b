import KubernetesAPI

/// Prints objects in the form asked for; a table's heading comes before the first row only.
final class ObjectPrinter<T: KubernetesObject> {
    private let format: OutputFormat
    private let columns: [Column<T>]
    private var table = Table()
    private var isFirst = true

    init(_ output: OutputOptions, columns: [Column<T>]) {
        format = output.format
        var shown = columns.filter { !$0.wide || output.format == .wide }
        if T.resourceType.namespaced, output.allNamespaces { shown.insert(Column(heading: "NAMESPACE") { $0.namespace ?? "" }, at: 0) }
        self.columns = shown
    }

    /// - Parameter asList: as kubectl's `kind: List`, however many there are.
    func print(_ items: [T], asList: Bool) throws {
        switch format {
        case .json:
            if asList { return Terminal.write(try Rendering.json(ItemList(items: items))) }
            for item in items { Terminal.write(try Rendering.json(item)) }
        case .yaml:
            if asList { return Terminal.write(try Rendering.yaml(ItemList(items: items))) }
            for item in items {
                Terminal.write(try (isFirst ? "" : "---\n") + Rendering.yaml(item))
                isFirst = false
            }
        case .name:
            Terminal.write(items.map { Rendering.name(T.self, $0.name) + "\n" }.joined())
        case .table, .wide:
            guard !items.isEmpty else { return }
            let rows = items.map { item in columns.map { $0.value(item) } }
            Terminal.write(table.text((isFirst ? [columns.map(\.heading)] : []) + rows))
            isFirst = false
        }
    }

    private struct ItemList: Encodable {
        var apiVersion = "v1"
        var kind = "List"
        var items: [T]
    }
}
