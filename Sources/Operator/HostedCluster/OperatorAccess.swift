import ControlPlane
import KubernetesAPI
import KubernetesClient

/// The rights of the control-planes operator in one control-plane namespace. RBAC knows no patterns of names, so instead of
/// rights over the Secrets of all namespaces it has the right to bind one ClusterRole where it makes a namespace.
struct OperatorAccess {
    /// The ClusterRole and the ServiceAccount, as `manifests/operator/control-planes-rbac.yaml` names them.
    static let role = "nestbox-control-plane-namespace"
    static let serviceAccount = "nestbox-control-planes"

    /// How an admin opens a namespace with HostedClusters to the operator.
    static func openingCommand(_ namespace: String, operatorNamespace: String) -> String {
        "kubectl -n \(namespace) create rolebinding \(serviceAccount) --clusterrole=nestbox-hosted-cluster-namespace "
            + "--serviceaccount=\(operatorNamespace):\(serviceAccount)"
    }

    let controlPlaneNamespace: String
    let operatorNamespace: String

    func binding(labels: [String: String]) -> RoleBinding {
        RoleBinding(
            metadata: ObjectMeta(name: Self.serviceAccount, namespace: controlPlaneNamespace, labels: labels),
            subjects: [RBACSubject(kind: "ServiceAccount", name: Self.serviceAccount, namespace: operatorNamespace)],
            roleRef: RoleRef(apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: Self.role))
    }

    /// The API server's authorizer hears of a binding a moment after it is written.
    func waitUntilGranted(_ client: KubernetesClient) async throws {
        let question = SelfSubjectAccessReview(
            metadata: ObjectMeta(),
            spec: SubjectAccessReviewSpec(
                resourceAttributes: ResourceAttributes(namespace: controlPlaneNamespace, verb: "list", resource: "secrets")))
        let deadline = ContinuousClock.now + .seconds(5)
        while try await client.create(question).status?.allowed != true {
            guard .now < deadline else {
                throw PhaseError(
                    "the operator was given its rights in \(controlPlaneNamespace) (RoleBinding \(Self.serviceAccount)), and still has none: "
                        + "is the ClusterRole \(Self.role) of manifests/operator there?")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
