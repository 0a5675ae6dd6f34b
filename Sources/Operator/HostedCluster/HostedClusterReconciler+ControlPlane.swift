import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// Runs the control-plane pods. False while no API server is ready.
    func runControlPlane(_ input: ControlPlaneInput, _ report: inout ClusterReport) async throws -> Bool {
        let settings = input.settings
        try await applied.apply(try ControlPlane.pods(input), scope: settings.uid, with: client)
        let namespace = settings.controlPlaneNamespace
        let deployment = try await client.get(Deployment.self, NestboxName.controlPlaneDeployment, namespace: namespace)
        guard (deployment.status?.readyReplicas ?? 0) > 0 else {
            let trouble = try await podTrouble(NestboxName.controlPlaneDeployment, in: namespace) ?? "kube-apiserver is starting"
            report.set("KubeAPIServerAvailable", false, reason: "NotReady", message: trouble)
            report.notAvailable(trouble)
            return false
        }
        report.set("KubeAPIServerAvailable", true, reason: "Ready")
        if deployment.isRolledOut { report.completeRenewal() }
        return true
    }

    /// The first thing that keeps a component's pods from being ready, in the host's words.
    func podTrouble(_ component: String, in namespace: String) async throws -> String? {
        let pods = try await client.list(Pod.self, namespace: namespace, labels: "\(NestboxLabel.component)=\(component)").items
        for pod in pods {
            if let unscheduled = pod.status?.conditions?.first(where: { $0.type == "PodScheduled" && $0.status == "False" }) {
                return "pod \(pod.name) is not scheduled: \(unscheduled.message ?? unscheduled.reason ?? "")"
            }
            for container in pod.status?.containerStatuses ?? [] {
                guard let waiting = container.state?.waiting, let reason = waiting.reason, reason != "ContainerCreating" else { continue }
                return "container \(container.name) of pod \(pod.name): \(reason) \(waiting.message ?? "")"
            }
        }
        return nil
    }
}

extension Deployment {
    /// Whether all of its pods are of its newest template, and ready.
    fileprivate var isRolledOut: Bool {
        let wanted = spec?.replicas ?? 1
        guard (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) else { return false }
        return [status?.replicas, status?.updatedReplicas, status?.readyReplicas].allSatisfy { ($0 ?? 0) == wanted }
    }
}
