public import KubernetesAPI

extension [Condition] {
    /// The condition of that type; nil until somebody has set it.
    public func named(_ type: String) -> Condition? { first { $0.type == type } }

    /// What keeps that condition from being True, in words; nil when it is True.
    public func missing(_ type: String) -> String? {
        guard let condition = named(type) else { return "\(type) is not known yet" }
        if condition.status == "True" { return nil }
        return condition.message.isEmpty ? condition.reason : condition.message
    }
}
