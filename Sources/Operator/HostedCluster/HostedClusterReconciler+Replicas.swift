import ControlPlane
import KubernetesAPI
import NestboxAPI

extension HostedClusterReconciler {
    /// Says how many replicas run and serve, and what is done to have as many as are wanted. Returns when to look again.
    func reportReplicas(
        _ settings: ClusterSettings, _ etcd: EtcdFindings, _ rollout: ControlPlaneRollout, _ report: inout ClusterReport
    ) -> Duration {
        let seen = etcd.apiServers
        let counts = ReplicaCounts(replicas: settings.replicas, running: seen.running, ready: seen.ready)
        report.update { $0.controlPlane = counts }
        guard rollout.state != .notBegun else { return report.patience(min(.seconds(10), etcd.nextLook), with: "Progressing") }
        let members = settings.externalEtcd == nil ? report.status.etcd?.members ?? 0 : settings.replicas
        // Pods that become new, or cannot, have been told of already.
        let rest = rollout.state == .complete ? ScalingOrder.step(wanted: settings.replicas, members: members, seen) : nil
        guard let step = etcd.step ?? rest else { return etcd.nextLook }
        report.set("Progressing", true, reason: "Scaling", message: step)
        // Nobody tells when a pod that was on its way out is gone.
        let look = seen.running > settings.replicas ? min(etcd.nextLook, .seconds(2)) : etcd.nextLook
        return report.patience(look, with: "Progressing")
    }
}
