/// A Kubernetes release, `v1.20.2`: what a binary reports, an image is tagged with and a spec asks for.
public struct KubernetesVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var major: Int
    public var minor: Int
    public var patch: Int

    public init(_ major: Int, _ minor: Int, _ patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads `v1.36.2` or `1.36.2`; a build or pre-release suffix (`v1.32.4-gke.1`, `v1.36.0+k3s1`) is dropped.
    /// Nil when it is not a version.
    public init?(_ text: some StringProtocol) {
        var core = text.hasPrefix("v") ? text.dropFirst() : text[...]
        core = core.prefix { $0 != "-" && $0 != "+" }
        let parts = core.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        let numbers = parts.compactMap { part in
            part.allSatisfy { $0.isASCII && $0.isNumber } && part.count <= 4 ? Int(part) : nil
        }
        guard numbers.count == 3 else { return nil }
        self.init(numbers[0], numbers[1], numbers[2])
    }

    public var description: String { "v\(major).\(minor).\(patch)" }

    /// `1.36`: what skew rules and most of the version table speak of.
    public var minorRelease: String { "\(major).\(minor)" }

    public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    /// Whether this is `1.minor` or newer.
    public func isAtLeast(minor: Int) -> Bool { (major, self.minor) >= (1, minor) }
}

extension KubernetesVersion: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let version = KubernetesVersion(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not a Kubernetes version such as v1.36.2"))
        }
        self = version
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
