/// Debian's own package sources among those that a computer's apt has, with source packages added: the text of a
/// deb822 file. Mirrors stay whatever they are; what is not Debian's (by suite, component and signing key) is left out.
struct AptSources: Sendable {
    /// One entry, as fields in order.
    struct Entry: Sendable, Equatable {
        var fields: [(name: String, value: String)]

        static func == (left: Self, right: Self) -> Bool {
            left.fields.map { [$0.name, $0.value] } == right.fields.map { [$0.name, $0.value] }
        }

        func words(_ name: String) -> [String] {
            fields.filter { $0.name.lowercased() == name.lowercased() }
                .flatMap { $0.value.split(whereSeparator: \.isWhitespace).map(String.init) }
        }

        mutating func set(_ name: String, _ value: String) {
            fields.removeAll { $0.name.lowercased() == name.lowercased() }
            fields.append((name, value))
        }

        var text: String { fields.map { "\($0.name): \($0.value)\n" }.joined() }
    }

    private(set) var entries: [Entry] = []
    let codename: String

    init(codename: String) { self.codename = codename }

    /// Reads a `.sources` file.
    mutating func add(deb822 text: String) { Self.parse(deb822: text).forEach { add($0) } }

    /// Reads a `.list` file.
    mutating func add(list text: String) { Self.parse(list: text).forEach { add($0) } }

    private mutating func add(_ entry: Entry) {
        guard isDebian(entry) else { return }
        var entry = entry
        entry.set("Types", "deb deb-src")
        entry.set("Suites", entry.words("Suites").filter(isDebianSuite).joined(separator: " "))
        entry.set("Components", "main")
        entry.fields.removeAll { $0.name.lowercased() == "enabled" }
        if !entries.contains(entry) { entries.append(entry) }
    }

    /// The text of the private sources file.
    var text: String { entries.map(\.text).joined(separator: "\n") }

    private func isDebianSuite(_ suite: String) -> Bool {
        [codename, "\(codename)-updates", "\(codename)-security", "\(codename)/updates"].contains(suite)
            || ["stable", "stable-updates", "stable-security", "oldstable", "oldstable-updates", "oldstable-security"].contains(suite)
    }

    private func isDebian(_ entry: Entry) -> Bool {
        guard entry.words("Types").contains("deb"), entry.words("Components").contains("main") else { return false }
        guard entry.words("Suites").contains(where: isDebianSuite) else { return false }
        if let enabled = entry.words("Enabled").first?.lowercased(), ["no", "false", "0", "off"].contains(enabled) { return false }
        let keys = entry.words("Signed-By")
        return keys.isEmpty || keys.contains { $0.contains("debian-archive") }
    }

    static func parse(deb822 text: String) -> [Entry] {
        var entries: [Entry] = []
        var fields: [(name: String, value: String)] = []
        let lines: [Substring] = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for line in lines + [Substring()] {
            if line.allSatisfy(\.isWhitespace) {
                if !fields.isEmpty { entries.append(Entry(fields: fields)) }
                fields = []
            } else if line.hasPrefix("#") {
                continue
            } else if line.first?.isWhitespace == true {
                // A folded line goes on where the one before ended.
                if let last = fields.indices.last { fields[last].value += " " + line.trimmingWhitespace() }
            } else if let colon = line.firstIndex(of: ":") {
                fields.append((String(line[..<colon]), line[line.index(after: colon)...].trimmingWhitespace()))
            }
        }
        return entries
    }

    /// The options of a one-line entry that mean something here, by their deb822 names.
    private static let options = [
        "arch": "Architectures", "signed-by": "Signed-By", "trusted": "Trusted", "check-valid-until": "Check-Valid-Until",
        "check-date": "Check-Date", "by-hash": "By-Hash", "allow-insecure": "Allow-Insecure",
    ]

    static func parse(list text: String) -> [Entry] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            var rest = line.prefix { $0 != "#" }.trimmingWhitespace()[...]
            guard rest.hasPrefix("deb ") || rest.hasPrefix("deb\t") || rest.hasPrefix("deb[") else { return nil }
            rest = rest.dropFirst(3).drop(while: \.isWhitespace)
            var fields: [(name: String, value: String)] = [("Types", "deb")]
            if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
                for option in rest[..<end].dropFirst().split(whereSeparator: \.isWhitespace) {
                    let parts = option.split(separator: "=", maxSplits: 1)
                    guard parts.count == 2, let name = options[parts[0].lowercased()] else { continue }
                    fields.append((name, parts[1].split(separator: ",").joined(separator: " ")))
                }
                rest = rest[rest.index(after: end)...]
            }
            let words = rest.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count >= 3 else { return nil }
            fields.insert(
                contentsOf: [("URIs", words[0]), ("Suites", words[1]), ("Components", words[2...].joined(separator: " "))], at: 1)
            return Entry(fields: fields)
        }
    }

    /// Reads what this computer's apt has.
    static func ofThisComputer(_ release: DebianRelease, folder: String = "/etc/apt") throws -> AptSources {
        var sources = AptSources(codename: release.codename)
        if FileSystem.exists("\(folder)/sources.list") { sources.add(list: try FileSystem.text("\(folder)/sources.list")) }
        for name in FileSystem.names(in: "\(folder)/sources.list.d") {
            let path = "\(folder)/sources.list.d/\(name)"
            if name.hasSuffix(".sources") { sources.add(deb822: try FileSystem.text(path)) }
            if name.hasSuffix(".list") { sources.add(list: try FileSystem.text(path)) }
        }
        guard !sources.entries.isEmpty else {
            throw ArtifactError(
                .notAvailable,
                "this computer's apt has no Debian \(release.codename) source (component main) in \(folder)/sources.list or sources.list.d")
        }
        return sources
    }
}
