extension LabelSelector {
    /// Whether labels satisfy every part of the selector; an empty one matches all, as everywhere in Kubernetes.
    /// An operator that is none matches nothing: to select too little is seen, to select too much is not.
    public func matches(_ labels: [String: String]) -> Bool {
        (matchLabels ?? [:]).allSatisfy { labels[$0.key] == $0.value } && (matchExpressions ?? []).allSatisfy { $0.matches(labels) }
    }
}

extension LabelSelectorRequirement {
    fileprivate func matches(_ labels: [String: String]) -> Bool {
        let value = labels[key]
        let values = values ?? []
        return switch self.operator {
        case "In": value.map(values.contains) ?? false
        case "NotIn": value.map { !values.contains($0) } ?? true
        case "Exists": value != nil
        case "DoesNotExist": value == nil
        default: false
        }
    }
}
