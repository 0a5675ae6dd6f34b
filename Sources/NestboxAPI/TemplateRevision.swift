/// What a release of Nestbox makes of a spec: its pod templates, and the images of Nestbox's own that go with them. An operator renders
/// the last two, and each cluster is pinned to one, so that a new operator rolls nobody.
///
/// Whatever changes a pod template is done from the newest revision on only; golden files hold each.
public enum TemplateRevision: String, Sendable, CaseIterable, Comparable {
    case first = "v0.1.0"
    case second = "v0.2.0"

    /// What a new cluster is pinned to.
    public static let newest = TemplateRevision.second

    /// Nil for a release that this operator does not know.
    public init?(release: String) { self.init(rawValue: release) }

    /// The release that renders so, as a spec names it and an image of Nestbox's is tagged.
    public var release: String { rawValue }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }

    private var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension FieldErrors {
    mutating func checkRelease(_ release: String?, at path: String) {
        guard let release, TemplateRevision(release: release) == nil else { return }
        let known = TemplateRevision.allCases.map(\.release).joined(separator: " and ")
        add(path, "\(quoted(release)) is not a release that this Nestbox knows: it renders \(known)")
    }
}
