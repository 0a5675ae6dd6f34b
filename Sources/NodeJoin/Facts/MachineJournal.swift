import SSHClient

/// What a machine's services wrote into its journal.
public struct MachineJournal: Sendable, Equatable {
    /// Each cleaned of what is not to be shown.
    public var lines: [String]
    /// Where the journal goes on; nil when the machine did not say.
    public var cursor: String?
    /// Whether there was more than is given.
    public var isCut: Bool

    /// The short names of a node's own units, and what they stand for.
    public static let shortNames = [
        "kubelet": "nestbox-kubelet.service", "containerd": "nestbox-containerd.service", "node": "nestbox-node.service",
        "nestbox-node": "nestbox-node.service",
    ]

    /// Reads the last lines of these units (of a node's own, if none is named), or those after the cursor.
    /// - Throws: `StepFailure`, also for what is no unit's name or no cursor.
    public static func read(
        units: [String], tail: Int, after cursor: String?, bytes: Int, on shell: any MachineShell
    ) async throws -> MachineJournal {
        let script = try script(units: units, tail: tail, after: cursor, bytes: min(bytes, 60 * 1024))
        let result = try await shell.run(script, timeout: .seconds(20))
        if let failure = StepFailure(result, timeout: .seconds(20), isWhole: result.text.hasSuffix("\nend\n")) { throw failure }
        return MachineJournal(answer: result.text)
    }

    static func script(units: [String], tail: Int, after cursor: String?, bytes: Int) throws(StepFailure) -> String {
        let units = units.isEmpty ? ["kubelet", "containerd", "node"] : units
        let names = units.map { shortNames[$0] ?? $0 }
        if let wrong = names.first(where: { !isUnit($0) }) {
            throw StepFailure(kind: .refused, message: "\"\(MachineWords.cleaned(wrong, limit: 80))\" is no name of a unit")
        }
        if let cursor, !isCursor(cursor) { throw StepFailure(kind: .refused, message: "the cursor is none of journald's") }
        let place = cursor.map { " --after-cursor=\(shellQuoted($0))" } ?? ""
        return """
            export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
            out=$(journalctl --no-pager --quiet --show-cursor -o short-iso -n \(max(1, min(tail, 10_000)))\(place) \(names.map { "-u \($0)" }.joined(separator: " ")) 2>&1) || {
                printf '%s\\n' "$out" | tail -n 3 >&2
                exit 1
            }
            size=$(printf '%s' "$out" | wc -c)
            [ "$size" -le \(bytes) ] || echo cut
            echo
            printf '%s' "$out" | tail -c \(bytes)
            echo
            echo end

            """
    }

    init(answer: String) {
        var rest = answer.split(separator: "\n", omittingEmptySubsequences: false)[...]
        isCut = rest.first == "cut"
        // The first line says whether it was cut, then comes an empty one; the last two are ours, too.
        rest = rest.drop { !$0.isEmpty }.dropFirst()
        if isCut { rest = rest.dropFirst() }
        while rest.last?.isEmpty == true || rest.last == "end" { rest.removeLast() }
        if let last = rest.last, last.hasPrefix("-- cursor: ") {
            let text = String(last.dropFirst("-- cursor: ".count))
            cursor = Self.isCursor(text) ? text : nil
            rest.removeLast()
        }
        lines = rest.map { MachineWords.cleaned(String($0), limit: 2000) }.filter { !$0.isEmpty }
    }

    private static func isUnit(_ name: String) -> Bool {
        guard let first = name.utf8.first, first != UInt8(ascii: "-"), name.utf8.count <= 128 else { return false }
        return name.utf8.allSatisfy { byte in isWord(byte) || "@._:-".utf8.contains(byte) }
    }

    private static func isCursor(_ text: String) -> Bool {
        (1...512).contains(text.utf8.count) && text.utf8.allSatisfy { isWord($0) || "=;-".utf8.contains($0) }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
