/// The Debian archives that this computer's apt reads, as mmdebstrap takes them: files of sources, or one-line entries.
///
/// Others (a vendor's, a language's) have no place on a plain Debian.
enum AptMirrors {
    static func ofThisComputer(suite: String, folder: String = "/etc/apt") throws -> [String] {
        var entries: [String] = []
        for path in ["\(folder)/sources.list"] + Files.names(in: "\(folder)/sources.list.d").map({ "\(folder)/sources.list.d/\($0)" }) {
            guard let text = try Files.text(ifThere: path) else { continue }
            if path.hasSuffix(".list") { entries += lines(list: text, suite: suite) }
            if path.hasSuffix(".sources") { entries += lines(deb822: text, suite: suite) }
        }
        guard !entries.isEmpty else {
            throw LabError(
                "this computer's apt has no source of Debian \(suite) (component main) in \(folder): the machines' root is made of it")
        }
        return entries
    }

    private static func isSuite(_ word: some StringProtocol, _ suite: String) -> Bool {
        [suite, "\(suite)-updates", "\(suite)-security"].contains(String(word))
    }

    /// Entries of a `.list` file.
    static func lines(list text: String, suite: String) -> [String] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let entry = line.prefix { $0 != "#" }
            let withoutOptions = entry.contains("[") ? entry.drop { $0 != "]" }.dropFirst() : entry.dropFirst(3)
            let words = withoutOptions.split(whereSeparator: \.isWhitespace)
            guard entry.hasPrefix("deb"), !entry.hasPrefix("deb-src"), words.count >= 3, isSuite(words[1], suite),
                words[2...].contains("main")
            else { return nil }
            let options =
                entry.contains("[") ? String(entry[(entry.firstIndex(of: "[") ?? entry.startIndex)...].prefix { $0 != "]" }) + "] " : ""
            return "deb \(options)\(words[0]) \(words[1]) main"
        }
    }

    /// Entries of a `.sources` file, one line each.
    static func lines(deb822 text: String, suite: String) -> [String] {
        var lines: [String] = []
        for stanza in stanzas(text) {
            let uris = stanza["uris"] ?? []
            let suites = (stanza["suites"] ?? []).filter { isSuite($0, suite) }
            let enabled = stanza["enabled"]?.first.map { !["no", "false", "0", "off"].contains($0.lowercased()) } ?? true
            guard enabled, stanza["types"]?.contains("deb") == true, stanza["components"]?.contains("main") == true else { continue }
            // A key that is written out in the file itself does not fit on one line: Debian's own key serves.
            let key = stanza["signed-by"]?.first.flatMap { $0.hasPrefix("/") ? "[signed-by=\($0)] " : nil } ?? ""
            for uri in uris { lines += suites.map { "deb \(key)\(uri) \($0) main" } }
        }
        return lines
    }

    /// Fields by lower-case name, in words.
    private static func stanzas(_ text: String) -> [[String: [String]]] {
        var all: [[String: [String]]] = []
        var current: [String: [String]] = [:]
        var field = ""
        let lines: [Substring] = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) + [""]
        for line in lines {
            if line.allSatisfy(\.isWhitespace) {
                if !current.isEmpty { all.append(current) }
                current = [:]
            } else if line.hasPrefix("#") {
                continue
            } else if line.first?.isWhitespace == true {
                current[field, default: []] += line.split(whereSeparator: \.isWhitespace).map(String.init)
            } else if let colon = line.firstIndex(of: ":") {
                field = line[..<colon].lowercased()
                current[field] = line[line.index(after: colon)...].split(whereSeparator: \.isWhitespace).map(String.init)
            }
        }
        return all
    }
}
