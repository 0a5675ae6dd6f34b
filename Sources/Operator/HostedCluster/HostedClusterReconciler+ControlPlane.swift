import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// Runs the control-plane pods, and says how far they have become what is wanted. Nil while no API server is ready.
    func runControlPlane(_ input: ControlPlaneInput, _ report: inout ClusterReport) async throws -> ControlPlaneRollout? {
        let settings = input.settings
        try await applied.apply(try ControlPlane.pods(input), scope: settings.uid, with: client)
        try await applied.remove(ControlPlane.unneeded(input), scope: settings.uid, with: client)
        let namespace = settings.controlPlaneNamespace
        let deployment = try await client.get(Deployment.self, NestboxName.controlPlaneDeployment, namespace: namespace)
        guard (deployment.status?.readyReplicas ?? 0) > 0 else {
            let trouble = try await podTrouble(NestboxName.controlPlaneDeployment, in: namespace) ?? "kube-apiserver is starting"
            report.set("KubeAPIServerAvailable", false, reason: "NotReady", message: trouble)
            report.notAvailable(trouble)
            return nil
        }
        report.set("KubeAPIServerAvailable", true, reason: "Ready")
        let isComplete = ControlPlaneRollout.isComplete(deployment)
        if isComplete { report.completeRenewal() }
        return ControlPlaneRollout(
            deployment, pods: isComplete ? [] : try await controlPlanePods(in: namespace),
            images: ControlPlane.markingImages(settings.pinned, imageRegistry: settings.imageRegistry))
    }

    /// The first thing that keeps a component's pods from being ready, in the host's words.
    func podTrouble(_ component: String, in namespace: String) async throws -> String? {
        try await client.list(Pod.self, namespace: namespace, labels: "\(NestboxLabel.component)=\(component)").items
            .lazy.compactMap(PodTrouble.words).first
    }
}
