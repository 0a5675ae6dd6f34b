import KubernetesAPI

extension FieldErrors {
    mutating func checkLabels(_ labels: [String: String]?, at path: String) {
        for (key, value) in (labels ?? [:]).sorted(by: { $0.key < $1.key }) {
            require(key, is: .labelKey, at: "\(path)[\(key)]")
            require(value, is: .labelValue, at: "\(path)[\(key)]")
        }
    }

    mutating func checkSelector(_ selector: LabelSelector?, at path: String) {
        checkLabels(selector?.matchLabels, at: "\(path).matchLabels")
        for (index, part) in (selector?.matchExpressions ?? []).enumerated() {
            let path = "\(path).matchExpressions[\(index)]"
            let values = part.values ?? []
            require(part.key, is: .labelKey, at: "\(path).key")
            require(part.operator, isOneOf: ["In", "NotIn", "Exists", "DoesNotExist"], at: "\(path).operator")
            for (index, value) in values.enumerated() { require(value, is: .labelValue, at: "\(path).values[\(index)]") }
            switch part.operator {
            case "In", "NotIn": require(!values.isEmpty, "\(path).values", "\(part.operator) needs a value at least")
            case "Exists", "DoesNotExist": require(values.isEmpty, "\(path).values", "\(part.operator) takes no values")
            default: break
            }
        }
    }

    /// Labels that a kubelet gives its own Node.
    ///
    /// Of Kubernetes' own it may set but some, and does not start with others (pkg/kubelet/apis/well_known_labels.go); those that
    /// say what the machine is are its own to find out.
    mutating func checkNodeLabels(_ labels: [String: String]?, at path: String) {
        checkLabels(labels, at: path)
        for key in (labels ?? [:]).keys.sorted() {
            let path = "\(path)[\(key)]"
            let parts = key.split(separator: "/", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let domain = String(parts[0])
            if domain.isWithin([nestboxGroup]) {
                add(path, "labels of \(nestboxGroup) are Nestbox's own")
            } else if domain.isWithin(["kubelet.kubernetes.io", "node.kubernetes.io"]) || Self.kubeletMaySet.contains(key) {
                continue
            } else if domain.isWithin(["kubernetes.io", "k8s.io"]) {
                add(path, "a kubelet may not give its node this label; use one of another domain, or of node.kubernetes.io")
            }
        }
    }

    private static let kubeletMaySet = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"]

    mutating func checkTaints(_ taints: [Taint]?, at path: String) {
        var seen: Set<[String]> = []
        for (index, taint) in (taints ?? []).enumerated() {
            let path = "\(path)[\(index)]"
            require(taint.key, is: .labelKey, at: "\(path).key")
            require(taint.value, is: .labelValue, at: "\(path).value")
            require(taint.effect, isOneOf: ["NoSchedule", "PreferNoSchedule", "NoExecute"], at: "\(path).effect")
            require(taint.timeAdded == nil, "\(path).timeAdded", "is set by the cluster alone")
            require(seen.insert([taint.key, taint.effect]).inserted, path, "\(taint.key):\(taint.effect) is there already")
        }
    }

    mutating func checkTolerations(_ tolerations: [Toleration]?, at path: String) {
        for (index, toleration) in (tolerations ?? []).enumerated() {
            let path = "\(path)[\(index)]"
            let key = toleration.key.flatMap { $0.isEmpty ? nil : $0 }
            require(key, is: .labelKey, at: "\(path).key")
            require(toleration.value, is: .labelValue, at: "\(path).value")
            require(toleration.operator, isOneOf: ["Equal", "Exists"], at: "\(path).operator")
            require(toleration.effect, isOneOf: ["", "NoSchedule", "PreferNoSchedule", "NoExecute"], at: "\(path).effect")
            if toleration.operator == "Exists" {
                require(toleration.value?.isEmpty ?? true, "\(path).value", "Exists takes no value")
            } else {
                require(key != nil, "\(path).key", "is needed, except with operator Exists")
            }
            if toleration.tolerationSeconds != nil {
                require(toleration.effect == "NoExecute", "\(path).tolerationSeconds", "only NoExecute takes it")
            }
        }
    }
}

extension String {
    /// Whether it is one of these domains, or below one.
    fileprivate func isWithin(_ domains: [String]) -> Bool { domains.contains { self == $0 || hasSuffix("." + $0) } }
}
