import KubernetesAPI
import Testing

@Suite struct LabelSelectorTests {
    static let labels = ["tier": "web", "rack": "12", "empty": ""]

    @Test(arguments: [
        (LabelSelector(), true), (LabelSelector(matchLabels: [:], matchExpressions: []), true),
        (LabelSelector(matchLabels: ["tier": "web"]), true), (LabelSelector(matchLabels: ["tier": "web", "rack": "12"]), true),
        (LabelSelector(matchLabels: ["tier": "web", "rack": "13"]), false), (LabelSelector(matchLabels: ["gpu": ""]), false),
        (LabelSelector(matchLabels: ["empty": ""]), true),
    ])
    func matchLabelsAreAllOfThem(selector: LabelSelector, matches: Bool) {
        #expect(selector.matches(Self.labels) == matches)
    }

    @Test(
        arguments: [
            ("tier", "In", ["web", "db"], true), ("tier", "In", ["db"], false), ("gpu", "In", [""], false), ("tier", "In", [], false),
            ("tier", "NotIn", ["db"], true), ("tier", "NotIn", ["web"], false), ("gpu", "NotIn", ["yes"], true),
            ("empty", "Exists", [], true), ("gpu", "Exists", [], false), ("gpu", "DoesNotExist", [], true),
            ("tier", "DoesNotExist", [], false),
            ("tier", "Equals", ["web"], false),
        ] as [(String, String, [String], Bool)])
    func expressions(key: String, operation: String, values: [String], matches: Bool) {
        let requirement = LabelSelectorRequirement(key: key, operator: operation, values: values.isEmpty ? nil : values)
        #expect(LabelSelector(matchExpressions: [requirement]).matches(Self.labels) == matches)
        // Every part must hold.
        #expect(LabelSelector(matchLabels: ["tier": "db"], matchExpressions: [requirement]).matches(Self.labels) == false)
    }
}
