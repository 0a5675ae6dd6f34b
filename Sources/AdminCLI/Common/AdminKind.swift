import KubernetesAPI
import KubernetesClient

/// What the verbs have to know of a kind: how people call it, and what they want to see of it.
protocol AdminKind: KubernetesObject {
    static var noun: Noun { get }
    /// The columns of `get`.
    static var columns: [Column<Self>] { get }
    /// The first lines of `describe`; those without a value are left out.
    var details: [(heading: String, value: String?)] { get }
    /// The tables of `describe` that other objects fill, or long parts of this one.
    func sections(with client: KubernetesClient) async throws -> [DescribedSection]
    var conditions: [Condition]? { get }
    /// While it is being deleted: what for it is waited, in words.
    var deletionProgress: String? { get }
    /// Why it is not to be deleted as it is, in a sentence.
    var deletionRefusal: String? { get }
}

/// How people call a kind.
struct Noun: Sendable {
    /// As a command's name.
    var singular: String
    var plural: String
    /// In a sentence.
    var title: String
    var aliases: [String]
    /// What stands for a name in examples.
    var example: String
}

struct DescribedSection: Sendable {
    var title: String
    var rows: [[String]]
}

extension AdminKind {
    var deletionRefusal: String? { nil }

    func sections(with client: KubernetesClient) async throws -> [DescribedSection] { [] }
}
