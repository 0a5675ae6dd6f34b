import KubernetesAPI
import KubernetesVersions

/// How many pods of a component the host may take away at a time, as when its nodes are drained.
///
/// With one replica a budget would only hold up the host's own drains. With two members of etcd, on the way from one to three or back, none
/// may go at all; such a budget would say one, and the way is short.
enum DisruptionBudgets {
    static func wanted(_ input: ControlPlaneInput) -> [any KubernetesObject] { budgets(input) { $0 > 1 } }

    static func unneeded(_ input: ControlPlaneInput) -> [any KubernetesObject] { budgets(input) { $0 <= 1 } }

    private static func budgets(_ input: ControlPlaneInput, where isMeant: (Int) -> Bool) -> [any KubernetesObject] {
        let settings = input.settings
        // As many as run, not as are to: one that is to go still has its vote.
        let etcdMembers = settings.externalEtcd == nil && input.scale.etcdPods > 2 ? input.scale.etcdPods : 0
        let sizes = [(Component.controlPlane, input.scale.apiServers), (.etcd, etcdMembers)]
        return sizes.filter { isMeant($0.1) }.map { component, _ in
            let metadata = settings.metadata(component.rawValue)
            let spec = PodDisruptionBudgetSpec(maxUnavailable: 1, selector: settings.selector(component))
            return input.hostVersion.servesPodDisruptionBudgetV1
                ? PodDisruptionBudget(metadata: metadata, spec: spec) : PodDisruptionBudgetV1Beta1(metadata: metadata, spec: spec)
        }
    }
}
