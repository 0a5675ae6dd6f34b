/// Flags of a component, by name without dashes.
enum Arguments {
    /// Sorted, so that the same settings always make the same pod.
    static func render(_ arguments: [String: String]) -> [String] {
        arguments.sorted { $0.key < $1.key }.map { "--\($0.key)=\($0.value)" }
    }

    /// What the spec adds. Those that Nestbox relies on stay as they are: validation has refused them already.
    static func adding(_ extra: [String: String]?, to own: [String: String]) -> [String: String] {
        own.merging(extra ?? [:]) { own, _ in own }
    }
}
