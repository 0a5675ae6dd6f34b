import Foundation

/// Takes out of texts and objects what is for nobody's eyes, before they leave a cluster. Pure.
///
/// Two ways, each for what the other cannot see: by form and by name (keys, tokens, what a field or a flag is called), and by value: what a
/// Secret that was read holds is taken out wherever it stands. Rather a word too many than one too few.
struct Redaction: Sendable {
    static let mark = "<redacted>"

    /// Values of Secrets that are one word.
    private var knownWords: Set<[UInt8]> = []
    /// Those that are not.
    private var knownPhrases: [[UInt8]] = []

    /// Shorter ones are words of everyday use.
    private static let shortestValue = 8
    private static let mostPhrases = 256

    // MARK: By value

    /// Takes note of what a Secret holds.
    mutating func learn(_ value: String, key: String) {
        guard !Self.isPublic(value, key: key) else { return }
        let value = value.trimmingCharacters(in: .whitespacesAndNewlines)
        if value.contains(where: \.isNewline) || value.hasPrefix("{") {
            // A file: what in it is secret by form or name.
            for found in scan(Array(value.utf8)).found {
                for line in found.split(separator: UInt8(ascii: "\n")) { learn(Array(line)) }
            }
        } else {
            learn(Array(value.utf8))
            learn(Array(Data(value.utf8).base64EncodedString().utf8))
        }
    }

    private mutating func learn(_ value: [UInt8]) {
        let trimmed = Array(value.drop { !$0.isWordByte }.reversed().drop { !$0.isWordByte }.reversed())
        guard trimmed.count >= Self.shortestValue, !String(decoding: trimmed, as: UTF8.self).contains("PRIVATE KEY") else { return }
        if trimmed.allSatisfy(\.isWordByte) {
            knownWords.insert(trimmed)
        } else if knownPhrases.count < Self.mostPhrases, !knownPhrases.contains(trimmed) {
            knownPhrases.append(trimmed)
        }
    }

    /// Certificates, public keys, and what kubeadm's tokens say of themselves.
    private static func isPublic(_ value: String, key: String) -> Bool {
        if value.contains("PRIVATE KEY") { return false }
        if value.hasPrefix("-----BEGIN CERTIFICATE") || value.hasPrefix("-----BEGIN PUBLIC KEY") || value.hasPrefix("ssh-") { return true }
        return key.hasPrefix("usage-") || key.hasSuffix(".crt") || key.hasSuffix(".pub")
            || ["namespace", "expiration", "description", "auth-extra-groups", "token-id"].contains(key)
    }

    // MARK: Text

    func text(_ text: String) -> String {
        var bytes = scan(Array(text.utf8)).output
        for phrase in knownPhrases { bytes = Self.replacing(phrase, in: bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func replacing(_ phrase: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        guard let first = phrase.first, bytes.count >= phrase.count else { return bytes }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == first, bytes[index...].starts(with: phrase) {
                output += mark.utf8
                index += phrase.count
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return output
    }

    /// The text without what is secret, and what that was.
    private func scan(_ bytes: [UInt8]) -> (output: [UInt8], found: [[UInt8]]) {
        var scanner = TextScanner(bytes, known: knownWords)
        scanner.run()
        return (scanner.output, scanner.found)
    }
}

/// Goes through a text once, word by word.
private struct TextScanner {
    private let bytes: [UInt8]
    private let known: Set<[UInt8]>
    private(set) var output: [UInt8] = []
    private(set) var found: [[UInt8]] = []
    private var index = 0

    private static let begin = Array("-----BEGIN ".utf8)
    private static let end = Array("-----END ".utf8)
    private static let privateKey = Array("PRIVATE KEY-----".utf8)
    private static let scheme = Array("://".utf8)

    init(_ bytes: [UInt8], known: Set<[UInt8]>) {
        self.bytes = bytes
        self.known = known
        output.reserveCapacity(bytes.count)
    }

    mutating func run() {
        skipHalfAKey()
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "-"), starts(with: Self.begin), skipKey() { continue }
            if bytes[index] == UInt8(ascii: ":"), starts(with: Self.scheme), skipUser() { continue }
            guard bytes[index].isWordByte else {
                output.append(bytes[index])
                index += 1
                continue
            }
            word()
        }
    }

    private func starts(with prefix: [UInt8]) -> Bool { bytes[index...].starts(with: prefix) }

    private mutating func remove(upTo end: Int) {
        found.append(Array(bytes[index..<end]))
        output += Redaction.mark.utf8
        index = end
    }

    private func position(of pattern: [UInt8], from start: Int, upTo limit: Int? = nil) -> Int? {
        guard let first = pattern.first else { return nil }
        let last = (limit ?? bytes.count) - pattern.count
        var at = start
        while at <= last {
            if bytes[at] == first, bytes[at...].starts(with: pattern) { return at }
            at += 1
        }
        return nil
    }

    /// Where the line `-----BEGIN ... PRIVATE KEY-----` or `-----END ...` that begins there ends; nil when it is of something else.
    private func endOfKeyLine(_ start: Int, _ prefix: [UInt8]) -> Int? {
        let inside = start + prefix.count
        let limit = min(bytes.count, inside + 40 + Self.privateKey.count)
        return position(of: Self.privateKey, from: inside, upTo: limit).map { $0 + Self.privateKey.count }
    }

    /// A log that was cut may begin in the middle of one.
    private mutating func skipHalfAKey() {
        var at = 0
        while let end = position(of: Self.end, from: at) {
            if let after = endOfKeyLine(end, Self.end) {
                let first = position(of: Self.begin, from: 0)
                if first.map({ $0 > end }) ?? true { remove(upTo: after) }
                return
            }
            at = end + 1
        }
    }

    private mutating func skipKey() -> Bool {
        guard let inside = endOfKeyLine(index, Self.begin) else { return false }
        var at = inside
        while let end = position(of: Self.end, from: at) {
            if let after = endOfKeyLine(end, Self.end) {
                remove(upTo: after)
                return true
            }
            at = end + 1
        }
        remove(upTo: bytes.count)
        return true
    }

    /// `://user:password@host`.
    private mutating func skipUser() -> Bool {
        let start = index + Self.scheme.count
        var at = start
        while at < bytes.count, bytes[at] > UInt8(ascii: " "), !Array("/\"'`<>\\".utf8).contains(bytes[at]) {
            if bytes[at] == UInt8(ascii: "@") {
                output += Self.scheme
                index = start
                remove(upTo: at)
                return true
            }
            at += 1
        }
        return false
    }

    private mutating func word() {
        let start = index
        var end = index
        // What looks like a word may run into the dashes of a key: `\n-----BEGIN`, where the line's end was written out.
        while end < bytes.count, bytes[end].isWordByte,
            end == start || bytes[end] != Self.begin[0] || !bytes[end...].starts(with: Self.begin)
        {
            end += 1
        }
        let word = Array(bytes[start..<end])
        // A sentence's full stop is none of the word's.
        let bare = Array(word.reversed().drop { $0 == UInt8(ascii: ".") }.reversed())
        if isSecret(bare) {
            remove(upTo: start + bare.count)
            return
        }
        output += word
        index = end
        if bare.count <= 6, ["bearer", "basic"].contains(String(decoding: bare, as: UTF8.self).lowercased()) {
            credential()
        } else if let value = startOfValue(after: bare), SecretWords.isSecret(name: String(decoding: bare, as: UTF8.self)) {
            skipValue(at: value)
        }
    }

    private func isSecret(_ word: [UInt8]) -> Bool {
        guard word.count >= 8 else { return false }
        // As a part of a path, too.
        if !known.isEmpty, known.contains(word) || word.split(separator: UInt8(ascii: "/")).contains(where: { known.contains(Array($0)) }) {
            return true
        }
        return word.count >= 23 && SecretWords.isSecret(word: String(decoding: word, as: UTF8.self))
    }

    /// What follows `Bearer`.
    private mutating func credential() {
        var at = index
        while at < bytes.count, bytes[at].isBlank { at += 1 }
        guard at > index else { return }
        var end = at
        while end < bytes.count, bytes[end].isWordByte || bytes[end] == UInt8(ascii: "=") || bytes[end] == UInt8(ascii: "~") { end += 1 }
        guard end - at >= 8 else { return }
        output += bytes[index..<at]
        index = at
        remove(upTo: end)
    }

    /// Where a value begins, as in `password: x`, `--token=x`, `--token x` and `"clientSecret": "x"`; nil when none seems to follow.
    private func startOfValue(after name: [UInt8]) -> Int? {
        var at = index
        while at < bytes.count, at - index <= 4, bytes[at].isBlank || Self.quotes.contains(bytes[at]) { at += 1 }
        guard at < bytes.count else { return nil }
        guard bytes[at] == UInt8(ascii: ":") || bytes[at] == UInt8(ascii: "=") else {
            let isFlag = name.starts(with: Self.dashes) && bytes[index].isBlank && bytes[at] != UInt8(ascii: "-")
            return isFlag && bytes[at].isWordByte ? at : nil
        }
        at += 1
        while at < bytes.count, bytes[at].isBlank || bytes[at] == UInt8(ascii: "\\") { at += 1 }
        return at < bytes.count ? at : nil
    }

    private static let dashes = Array("--".utf8)
    private static let quotes = Array("\"'\\".utf8)
    private static let stops = Array(",;&}])\"'\n\r".utf8)

    private mutating func skipValue(at start: Int) {
        var at = start
        var end = start
        if bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'") {
            let quote = bytes[at]
            // JSON in JSON: a quote closes that is escaped as often as the one that opened.
            let escapes = backslashes(before: at)
            at += 1
            end = at
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n"), bytes[end] != quote || backslashes(before: end) != escapes {
                end += 1
            }
            if end < bytes.count, bytes[end] == quote { end -= escapes }
        } else {
            while end < bytes.count, !bytes[end].isBlank, !Self.stops.contains(bytes[end]) { end += 1 }
        }
        let value = String(decoding: bytes[at..<end], as: UTF8.self)
        // An object or a list is gone through, and of `Authorization: Bearer x` the scheme stays.
        guard !SecretWords.isHarmless(value: value), !value.hasPrefix("{"), !value.hasPrefix("["), !value.hasPrefix(Redaction.mark),
            !["bearer", "basic"].contains(value.lowercased())
        else { return }
        output += bytes[index..<at]
        index = at
        remove(upTo: end)
    }

    private func backslashes(before position: Int) -> Int {
        var count = 0
        while position - count - 1 >= 0, bytes[position - count - 1] == UInt8(ascii: "\\") { count += 1 }
        return count
    }
}
