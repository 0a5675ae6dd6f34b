import KubernetesAPI
import KubernetesClient

/// Lets the operator write the kubeconfigs of a namespace's clusters there: it has no right over Secrets that nobody gave it.
struct OpenNamespace {
    let namespace: String
    let operatorNamespace: String

    private static let serviceAccount = "nestbox-control-planes"

    private var binding: RoleBinding {
        RoleBinding(
            metadata: ObjectMeta(name: Self.serviceAccount, namespace: namespace, labels: ["app.kubernetes.io/part-of": "nestbox"]),
            subjects: [RBACSubject(kind: "ServiceAccount", name: Self.serviceAccount, namespace: operatorNamespace)],
            roleRef: RoleRef(apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "nestbox-hosted-cluster-namespace"))
    }

    /// Whoever may make clusters but no bindings is not stopped: the cluster's condition KubeconfigAvailable says what is missing.
    func run(with client: KubernetesClient) async throws {
        do {
            _ = try await client.create(binding)
        } catch let error as KubernetesError where error.isAlreadyExists || error.isForbidden {}
    }
}
