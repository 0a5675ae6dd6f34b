import KubernetesAPI

/// Who may do what in a tenant's cluster, beyond Kubernetes' own roles.
enum TenantRBAC {
    static func render(_ settings: ClusterSettings) -> [any KubernetesObject] {
        [
            Grants.clusterRoleBinding(NestboxName.adminUser, role: "cluster-admin", to: [Grants.user(NestboxName.adminUser)]),
            // Mandatory since kube-apiserver's client certificate is in no group: logs and exec would be forbidden.
            Grants.clusterRoleBinding(
                "nestbox:apiserver-kubelet-client", role: "system:kubelet-api-admin",
                to: [Grants.user("kube-apiserver-kubelet-client")]),
            // Our tokens may ask for a certificate; who gets one is the operator's to say.
            Grants.clusterRoleBinding(
                "nestbox:node-bootstrapper", role: "system:node-bootstrapper", to: [Grants.groupSubject(NestboxName.bootstrappersGroup)]),
        ] + tunnel + operatorAccess
    }

    /// The tunnel server reads the operator's record, and keeps a Lease a server by which they know each other.
    private static var tunnel: [any KubernetesObject] {
        Grants.role(
            NestboxName.tunnelUser, namespace: NestboxName.systemNamespace,
            [
                Grants.rule(["get", "list", "watch"], ["configmaps"]),
                Grants.rule(
                    ["get", "list", "watch", "create", "update", "patch", "delete"], ["leases"], group: "coordination.k8s.io"),
            ],
            to: [Grants.user(NestboxName.tunnelUser)])
    }

    /// All that the operator does in a tenant once its rights are there. It can read no Secret but in kube-system, where it makes
    /// bootstrap tokens, and it can grant nothing.
    private static var operatorAccess: [any KubernetesObject] {
        let name = NestboxName.operatorUser
        let all = ["get", "list", "watch", "create", "update", "patch", "delete"]
        let subjects = [Grants.user(name)]
        let rules = [
            Grants.rule(all, ["nodes"]),
            Grants.rule(["get", "list", "watch", "delete"], ["pods"]),
            Grants.rule(["create"], ["pods/eviction"]),
            Grants.rule(["get", "list", "watch"], ["namespaces", "services", "persistentvolumes", "persistentvolumeclaims"]),
            Grants.rule(["create", "patch", "update"], ["events"]),
            Grants.rule(["get", "list", "watch"], ["daemonsets", "deployments", "replicasets", "statefulsets"], group: "apps"),
            Grants.rule(["get", "list", "watch"], ["poddisruptionbudgets"], group: "policy"),
            Grants.rule(["get", "list", "watch", "delete"], ["certificatesigningrequests"], group: "certificates.k8s.io"),
            Grants.rule(["update", "patch"], ["certificatesigningrequests/approval"], group: "certificates.k8s.io"),
            Grants.rule(
                ["approve"], ["signers"], group: "certificates.k8s.io",
                names: ["kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving"]),
            Grants.rule(["get", "list", "watch", "delete"], ["volumeattachments"], group: "storage.k8s.io"),
            // It can grant nothing, but take away what `join.kubeadm` granted.
            Grants.rule(
                ["get", "delete"], ["clusterrolebindings"], group: "rbac.authorization.k8s.io",
                names: KubeadmObjects.joinBindings.map(\.name)),
            PolicyRule(verbs: ["get"], nonResourceURLs: ["/healthz", "/livez", "/readyz", "/version", "/readyz/*", "/livez/*"]),
            // Which deprecated APIs are in use, before an upgrade.
            PolicyRule(verbs: ["get"], nonResourceURLs: ["/metrics"]),
        ]
        let configured = ["configmaps", "serviceaccounts", "services", "endpoints"]
        return [Grants.clusterRole(name, rules), Grants.clusterRoleBinding(name, role: name, to: subjects)]
            + Grants.role(
                name, namespace: NestboxName.systemNamespace,
                [
                    Grants.rule(all, ["configmaps"]),
                    // What the tunnel's servers say of their agents.
                    Grants.rule(["get", "list", "watch"], ["leases"], group: "coordination.k8s.io"),
                ], to: subjects)
            + Grants.role(
                name, namespace: "kube-system",
                [Grants.rule(all, configured + ["secrets"]), Grants.rule(all, ["daemonsets", "deployments"], group: "apps")],
                to: subjects)
            + Grants.role(name, namespace: "kube-public", [Grants.rule(all, ["configmaps"])], to: subjects)
            + Grants.role(
                name, namespace: "default",
                [
                    Grants.rule(all, ["services", "endpoints"]),
                    Grants.rule(all, ["endpointslices"], group: "discovery.k8s.io"),
                ],
                to: subjects)
    }
}
