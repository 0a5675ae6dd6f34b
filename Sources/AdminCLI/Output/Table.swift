import KubernetesAPI

/// A column of a table: its heading, whether it is shown only with `-o wide`, and how to read it off an object.
struct Column<T: KubernetesObject>: Sendable {
    var heading: String
    var wide = false
    var value: @Sendable (T) -> String
}

/// Columns, each as wide as its widest cell yet: rows that come later line up with those before them.
struct Table {
    private var widths: [Int] = []
    private let indent: String

    init(indent: Int = 0) { self.indent = String(repeating: " ", count: indent) }

    mutating func text(_ rows: [[String]]) -> String {
        let rows = rows.map { $0.map(Rendering.oneLine) }
        for row in rows {
            for (index, cell) in row.enumerated() {
                if index == widths.count { widths.append(0) }
                widths[index] = max(widths[index], cell.count)
            }
        }
        return rows.map { row in
            var line = indent
            for (index, cell) in row.enumerated() {
                line += index == row.count - 1 ? cell : Rendering.padded(cell, to: widths[index] + 3)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
