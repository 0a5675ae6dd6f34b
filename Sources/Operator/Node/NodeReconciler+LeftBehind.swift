import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI
import NodeJoin

extension NodeReconciler {
    /// Removes Nodes that were left because pods might still run on them, once their Machine is nobody's, another's, or gone.
    /// False when one could not be removed.
    func removeLeftBehind(_ name: String, of machine: Machine?) async -> Bool {
        var isDone = true
        for session in sessions.all where machine?.status?.claim?.hostedClusterUID != session.clusterUID {
            guard let node = session.nodes.get(ObjectKey(name: name)), node.metadata.annotations?[NodeDrain.leaving] != nil else {
                continue
            }
            do {
                try await session.client.deleteIfPresent(ConfigMap.self, name, namespace: NodeRecord.namespace)
                try await session.client.deleteIfPresent(Node.self, name, uid: node.metadata.uid)
            } catch {
                logger.warning(
                    "a Node that was left behind could not be removed",
                    metadata: ["cluster": "\(session.cluster)", "node": "\(name)", "error": "\(error)"])
                isDone = false
            }
        }
        return isDone
    }
}

extension Machine {
    /// Whether nothing of its tenant runs on it any more, for certain. Only then may its Node be deleted with pods on it: Kubernetes
    /// starts a StatefulSet's pod elsewhere when its Node is gone, and two of it would write to one volume.
    var podsAreEnded: Bool {
        guard status?.facts?.kubeletVersion != nil, !isPoweredOff else { return true }
        guard let plan = status?.plan, plan.name == Plan.cleanName else { return false }
        return plan.steps.contains { $0.name == Plan.stepThatEndsPods && $0.state == .succeeded }
    }

    /// Whether somebody vouches for that, for the claim it has.
    var isPoweredOff: Bool {
        guard let claim = status?.claim else { return false }
        return metadata.annotations?[MachineAnnotation.poweredOff] == "\(claim.epoch)"
    }
}
