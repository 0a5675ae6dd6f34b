/// What a machine said, made fit to be shown: it may be hostile, or only talkative.
public enum MachineWords {
    public static let limit = 500

    /// On one line, without control or formatting characters, and of bounded length. When it is too long the end is kept,
    /// where errors stand.
    public static func cleaned(_ text: String, limit: Int = limit) -> String {
        var words: [String] = []
        var word = ""
        for scalar in withoutTerminalSequences(text) {
            switch scalar.properties.generalCategory {
            case .control, .spaceSeparator, .lineSeparator, .paragraphSeparator:
                if !word.isEmpty { words.append(word) }
                word = ""
            case .format, .surrogate, .privateUse, .unassigned:
                continue
            default:
                word.unicodeScalars.append(scalar)
            }
        }
        if !word.isEmpty { words.append(word) }
        let line = words.joined(separator: " ")
        return line.unicodeScalars.count <= limit ? line : "..." + String(String.UnicodeScalarView(line.unicodeScalars.suffix(limit - 3)))
    }

    /// Leaves out escape sequences whole (`ESC [ 31 m`): without its first byte the rest would stay as litter.
    private static func withoutTerminalSequences(_ text: String) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        var rest = Array(text.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            guard scalar == "\u{1b}", rest.first == "[" else {
                result.append(scalar)
                continue
            }
            rest = rest.dropFirst().drop { !("\u{40}"..."\u{7e}").contains($0) }.dropFirst()
        }
        return result
    }

    static func cleaned(_ bytes: [UInt8], limit: Int = limit) -> String {
        cleaned(String(decoding: bytes, as: UTF8.self), limit: limit)
    }
}
