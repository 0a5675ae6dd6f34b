import KubernetesAPI

/// A form that a text may have, with the words that explain it.
struct Syntax: Sendable {
    /// To be read after "is not".
    let description: String
    let accepts: @Sendable (String) -> Bool
}

extension Syntax {
    /// RFC 1123: names of most objects that become part of a host name.
    static let dnsLabel = Syntax(
        description: "a DNS label: 1 to 63 lower-case letters, digits and dashes, a letter or digit at both ends"
    ) { isDNSLabel($0) }

    static let dnsName = Syntax(
        description: "a DNS name: labels of lower-case letters, digits and dashes, with dots between them, 253 characters at most"
    ) { isDNSName($0) }

    /// The part before the slash is a DNS name, that after it a short name.
    static let labelKey = Syntax(
        description: "a label key: 63 letters, digits, dashes, underscores and dots at most, a letter or digit at both ends, "
            + "after an optional DNS name and a slash"
    ) { text in
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        return parts.count <= 2 && (parts.count == 1 || isDNSName(parts[0])) && isLabelWord(parts[parts.count - 1])
    }

    static let labelValue = Syntax(
        description: "a label value: empty, or 63 letters, digits, dashes, underscores and dots at most, a letter or digit at both ends"
    ) { $0.isEmpty || isLabelWord($0) }

    static let address = Syntax(description: "an IPv4 address") { IPv4Address($0) != nil }

    /// What looks like an address must be one: `10.0.0.300` is a DNS name to the letter, and never meant as one.
    static let host = Syntax(description: "an IPv4 address or a DNS name") { isHost($0) }

    static let subjectName = Syntax(description: "an IP address or a DNS name, whose first label may be *") { text in
        isHost(text.hasPrefix("*.") ? String(text.dropFirst(2)) : text) || isIPv6Address(text)
    }

    static let duration = Syntax(description: "a duration such as 168h or 1h30m") { GoDuration($0) != nil }

    static let quantity = Syntax(description: "a quantity above zero such as 8Gi or 250m") { (Quantity($0)?.value ?? 0) > 0 }

    static let timestamp = Syntax(description: "a time such as 2026-08-01T12:00:00Z") { Timestamp.parse($0) != nil }

    /// `host[:port][/path]`, before the name of an image.
    static let registry = Syntax(description: "an image registry such as registry.k8s.io or 10.0.0.5:5000/mirror") { isRegistry($0) }

    static let image = Syntax(description: "an image such as registry.k8s.io/etcd:3.5.24-0") { isImage($0) }

    static let userName = Syntax(
        description: "a user name: 32 letters, digits, dots, dashes and underscores at most, a letter or underscore first"
    ) { text in
        guard let first = text.utf8.first, text.utf8.count <= 32 else { return false }
        return (isLetter(first) || first == UInt8(ascii: "_")) && text.utf8.allSatisfy { isWordByte($0) }
    }

    static let kubeletField = Syntax(description: "a field of KubeletConfiguration, such as maxPods") { text in
        guard let first = text.utf8.first else { return false }
        return isLower(first) && text.utf8.allSatisfy { isLetter($0) || isDigit($0) }
    }

    static let registryHost = Syntax(description: "a registry's host such as docker.io or 10.0.0.5:5000") { isRegistryHost($0) }

    /// `[http[s]://]host[:port][/path]`.
    static let mirror = Syntax(description: "a mirror such as https://mirror.example.com or 10.0.0.5:5000") { text in
        let schemes = ["https://", "http://"]
        let rest = schemes.first { text.hasPrefix($0) }.map { String(text.dropFirst($0.utf8.count)) } ?? text
        return isRegistry(rest)
    }

    /// Of the kernel's parts that a node's owner has to do with; no empty and no relative part, so that it is a path below /proc/sys.
    static let sysctl = Syntax(description: "a kernel setting such as net.core.somaxconn, of fs, kernel, net, user or vm") { text in
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 2, ["fs", "kernel", "net", "user", "vm"].contains(parts[0]), text.utf8.count <= 128 else { return false }
        return parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        }
    }

    static let sysctlValue = Syntax(description: "a kernel setting's value: one line of 1 to 256 printable ASCII characters") { text in
        (1...256).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7e).contains($0) || $0 == 9 }
            && text.utf8.contains { $0 != 0x20 && $0 != 9 }
    }

    static let filePath = Syntax(
        description: "an absolute path such as /etc/chrony/conf.d/pool.conf, without empty, . and .. parts, of printable ASCII characters"
    ) { text in
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        guard text.hasPrefix("/"), !parts.isEmpty, text.utf8.count <= 1024 else { return false }
        return parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." } && text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
    }

    static let fileMode = Syntax(description: "a file's mode in octal digits, such as 0644, without setuid and the like") { text in
        let digits = text.hasPrefix("0") && text.utf8.count == 4 ? text.dropFirst() : text[...]
        return digits.utf8.count == 3 && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
    }

    static let flag = Syntax(description: "a flag's name without dashes before it, such as v or feature-gates") { text in
        guard let first = text.utf8.first else { return false }
        return isLetter(first) && text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }
}

// MARK: - The grammar

extension Syntax {
    private static func isLetter(_ byte: UInt8) -> Bool { isLower(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private static func isWordByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains(byte)
    }

    private static func isDNSLabel(_ text: some StringProtocol) -> Bool {
        let bytes = text.utf8
        guard (1...63).contains(bytes.count), text.first != "-", text.last != "-" else { return false }
        return bytes.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isDNSName(_ text: some StringProtocol) -> Bool {
        text.utf8.count <= 253 && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isDNSLabel($0) }
    }

    private static func isLabelWord(_ text: String) -> Bool {
        guard (1...63).contains(text.utf8.count), let first = text.utf8.first, let last = text.utf8.last else { return false }
        return (isLetter(first) || isDigit(first)) && (isLetter(last) || isDigit(last)) && text.utf8.allSatisfy { isWordByte($0) }
    }

    private static func isHost(_ text: String) -> Bool {
        let lastLabel = text.split(separator: ".", omittingEmptySubsequences: false).last ?? ""
        if !lastLabel.isEmpty, lastLabel.utf8.allSatisfy({ isDigit($0) }) { return IPv4Address(text) != nil }
        return isDNSName(text)
    }

    /// RFC 4291, without the forms that end in an IPv4 address or name a zone.
    static func isIPv6Address(_ text: String) -> Bool {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard text.utf8.contains(UInt8(ascii: ":")), halves.count <= 2 else { return false }
        let groups = halves.flatMap { $0.isEmpty ? [] : $0.split(separator: ":", omittingEmptySubsequences: false) }
        guard halves.count == 2 ? groups.count <= 7 : groups.count == 8 else { return false }
        return groups.allSatisfy { (1...4).contains($0.utf8.count) && $0.allSatisfy { $0.isASCII && $0.isHexDigit } }
    }

    private static func isRegistry(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return isRegistryHost(parts[0]) && parts.dropFirst().allSatisfy { isPathWord($0) }
    }

    private static func isRegistryHost(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, isHost(String(parts[0])) else { return false }
        return parts.count == 1 || isPort(parts[1])
    }

    static func isPort(_ text: some StringProtocol) -> Bool {
        Int(text).map { (1...65535).contains($0) && String($0) == text } ?? false
    }

    private static func isPathWord(_ text: some StringProtocol) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last else { return false }
        return (isLower(first) || isDigit(first)) && (isLower(last) || isDigit(last))
            && bytes.allSatisfy { isLower($0) || (isWordByte($0) && !isLetter($0)) }
    }

    private static func isImage(_ text: String) -> Bool {
        var parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let last = parts.popLast() else { return false }
        let digestParts = last.split(separator: "@", omittingEmptySubsequences: false)
        let nameAndTag = (digestParts.first ?? "").split(separator: ":", omittingEmptySubsequences: false)
        guard digestParts.count <= 2, nameAndTag.count <= 2, let name = nameAndTag.first, isPathWord(name) else { return false }
        if nameAndTag.count == 2, !isTag(nameAndTag[1]) { return false }
        if digestParts.count == 2, !isDigest(digestParts[1]) { return false }
        return parts.isEmpty || isRegistry(parts.joined(separator: "/"))
    }

    private static func isTag(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
        return first != UInt8(ascii: "-") && first != UInt8(ascii: ".") && text.utf8.allSatisfy { isWordByte($0) }
    }

    private static func isDigest(_ text: some StringProtocol) -> Bool {
        let hexadecimal = text.hasPrefix("sha256:") ? text.dropFirst(7) : ""
        return hexadecimal.utf8.count == 64 && hexadecimal.allSatisfy { $0.isASCII && $0.isHexDigit && !$0.isUppercase }
    }
}
