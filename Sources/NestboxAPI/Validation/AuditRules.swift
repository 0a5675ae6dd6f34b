import KubernetesAPI

extension FieldErrors {
    mutating func checkAudit(_ spec: AuditSpec?, at path: String) {
        guard let spec else { return }
        checkPolicy(spec.policy, at: "\(path).policy")
        checkLog(spec.log, at: "\(path).log")
        guard let webhook = spec.webhook else { return }
        require(webhook.kubeconfigSecret != nil, "\(path).webhook.kubeconfigSecret", "is needed: a Secret in the cluster's namespace")
        require(webhook.kubeconfigSecret, is: .dnsName, at: "\(path).webhook.kubeconfigSecret")
    }

    private mutating func checkLog(_ log: AuditLogSpec?, at path: String) {
        for (name, value) in [("maxAge", log?.maxAge), ("maxBackup", log?.maxBackup), ("maxSize", log?.maxSize)] {
            guard let value else { continue }
            let range = 1...(name == "maxSize" ? 1024 : 365)
            require(range.contains(value), "\(path).\(name)", "\(value) is not between \(range.lowerBound) and \(range.upperBound)")
            require(
                log?.destination == .file, "\(path).\(name)", "is for destination File alone: the host rotates what is written to Stdout")
        }
    }

    /// As kube-apiserver itself checks a policy, which it would otherwise refuse only when it starts.
    private mutating func checkPolicy(_ policy: [String: JSONValue]?, at path: String) {
        guard let policy else { return add(path, "is needed: without one kube-apiserver records nothing") }
        require(policy["apiVersion"] == "audit.k8s.io/v1", "\(path).apiVersion", "is not audit.k8s.io/v1")
        require(policy["kind"] == "Policy", "\(path).kind", "is not Policy")
        checkMembers(policy, are: ["apiVersion", "kind", "metadata", "omitStages", "omitManagedFields", "rules"], at: path)
        checkStages(policy["omitStages"], at: "\(path).omitStages")
        guard let rules = policy["rules"]?.array, !rules.isEmpty else {
            return add("\(path).rules", "is not a list of rules: the first that matches a request says how much of it is recorded")
        }
        for (index, rule) in rules.enumerated() { checkRule(rule, at: "\(path).rules[\(index)]") }
    }

    private mutating func checkRule(_ rule: JSONValue, at path: String) {
        guard let members = rule.object else { return add(path, "is not a rule, such as {level: Metadata}") }
        let lists = ["users", "userGroups", "verbs", "resources", "namespaces", "nonResourceURLs", "omitStages"]
        checkMembers(members, are: lists + ["level", "omitManagedFields"], at: path)
        let levels = ["None", "Metadata", "Request", "RequestResponse"]
        let level = members["level"]?.string ?? ""
        require(levels.contains(level), "\(path).level", "\(quoted(level)) is not one of \(levels.joined(separator: ", "))")
        for list in lists {
            guard let value = members[list] else { continue }
            require(value.array != nil, "\(path).\(list)", "is not a list")
        }
        checkStages(members["omitStages"], at: "\(path).omitStages")
        let ofResources = members["resources"] != nil || members["namespaces"] != nil
        require(
            !ofResources || members["nonResourceURLs"] == nil, path,
            "speaks of resources and of nonResourceURLs: a request is of one kind or the other")
    }

    private mutating func checkStages(_ stages: JSONValue?, at path: String) {
        let known = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"]
        for stage in stages?.array ?? [] { require(stage.string ?? "", isOneOf: known, at: path) }
    }

    private mutating func checkMembers(_ members: [String: JSONValue], are known: [String], at path: String) {
        for name in members.keys.sorted() where !known.contains(name) {
            add("\(path).\(name)", "is not a field of an audit policy: it has \(known.joined(separator: ", "))")
        }
    }
}
