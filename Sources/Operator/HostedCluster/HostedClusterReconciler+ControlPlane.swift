import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import NestboxAPI

extension HostedClusterReconciler {
    /// Runs the control-plane pods, and says how far they have become what is wanted. Nil while no API server is ready.
    func runControlPlane(
        _ input: ControlPlaneInput, _ sight: inout ControlPlaneSight, _ etcd: EtcdFindings, _ report: inout ClusterReport
    ) async throws -> ControlPlaneRollout? {
        let settings = input.settings
        // Those that there are serve meanwhile; where there are none, nobody is to be kept from them.
        let waiting = sight.deployment == nil ? nil : report.etcdFirst(input, sight, etcd)
        if waiting == nil {
            sight.take(try await applied.apply(try ControlPlane.pods(input), scope: settings.uid, with: client))
            try await applied.remove(ControlPlane.unneeded(input), scope: settings.uid, with: client)
        }
        guard let deployment = sight.deployment, (deployment.status?.readyReplicas ?? 0) > 0 else {
            let trouble = sight.trouble(of: NestboxName.controlPlaneDeployment) ?? "kube-apiserver is starting"
            report.set("KubeAPIServerAvailable", false, reason: "NotReady", message: trouble)
            report.notAvailable(trouble)
            return nil
        }
        report.set("KubeAPIServerAvailable", true, reason: "Ready")
        if let waiting { return ControlPlaneRollout(state: .notBegun, words: waiting, hasServed: false) }
        let rollout = ControlPlaneRollout(
            deployment, pods: sight.pods(of: NestboxName.controlPlaneDeployment),
            images: ControlPlane.markingImages(settings.pinned, imageRegistry: settings.imageRegistry))
        return rollout
    }
}
