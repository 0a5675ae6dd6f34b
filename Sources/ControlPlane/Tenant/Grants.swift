import KubernetesAPI

/// RBAC in few words.
enum Grants {
    private static let group = "rbac.authorization.k8s.io"

    static func clusterRole(_ name: String, _ rules: [PolicyRule]) -> ClusterRole {
        ClusterRole(metadata: tenantMetadata(name, namespace: nil), rules: rules)
    }

    static func clusterRoleBinding(_ name: String, role: String, to subjects: [RBACSubject]) -> ClusterRoleBinding {
        ClusterRoleBinding(
            metadata: tenantMetadata(name, namespace: nil), subjects: subjects,
            roleRef: RoleRef(apiGroup: group, kind: "ClusterRole", name: role))
    }

    /// A Role and a binding of the same name.
    static func role(_ name: String, namespace: String, _ rules: [PolicyRule], to subjects: [RBACSubject]) -> [any KubernetesObject] {
        [
            Role(metadata: tenantMetadata(name, namespace: namespace), rules: rules),
            RoleBinding(
                metadata: tenantMetadata(name, namespace: namespace), subjects: subjects,
                roleRef: RoleRef(apiGroup: group, kind: "Role", name: name)),
        ]
    }

    static func user(_ name: String) -> RBACSubject { RBACSubject(kind: "User", apiGroup: group, name: name) }

    static func groupSubject(_ name: String) -> RBACSubject { RBACSubject(kind: "Group", apiGroup: group, name: name) }

    static func serviceAccount(_ name: String, namespace: String) -> RBACSubject {
        RBACSubject(kind: "ServiceAccount", name: name, namespace: namespace)
    }

    static func rule(_ verbs: [String], _ resources: [String], group: String = "", names: [String]? = nil) -> PolicyRule {
        PolicyRule(verbs: verbs, apiGroups: [group], resources: resources, resourceNames: names)
    }
}
