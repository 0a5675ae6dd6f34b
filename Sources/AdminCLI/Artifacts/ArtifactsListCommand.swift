import ArgumentParser
import ArtifactStore

/// `nestbox artifacts list`
struct ArtifactsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "What is in the store.")

    @Flag(help: "Read every file and compare it with its checksum.")
    var verify = false

    @OptionGroup var options: ArtifactOptions

    func run() async throws {
        let store = options.store()
        let items = try await store.list()
        let rows = items.map { [$0.kind.rawValue, $0.name, $0.architecture.rawValue, "\($0.size / 1_000_000) MB", $0.origin] }
        for row in ArtifactTable.format([["KIND", "NAME", "ARCH", "SIZE", "ORIGIN"]] + rows) { print(row) }
        guard verify else { return }
        var damaged: [String] = []
        for item in items { damaged += try await store.damagedFiles(of: item) }
        guard damaged.isEmpty else {
            throw ArtifactError(.checksumMismatch, "not what the checksums say; remove and get again:\n" + damaged.joined(separator: "\n"))
        }
        print("all files are what their checksums say")
    }
}

/// Columns, each as wide as its widest cell.
enum ArtifactTable {
    static func format(_ rows: [[String]]) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { index, cell in
                index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] + 3 - cell.count)
            }.joined()
        }
    }
}
