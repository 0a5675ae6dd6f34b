import ControlPlane
import Foundation
import KubernetesAPI
import NestboxAPI

extension ClusterReport {
    /// How far the roll has come, and what serves from now on.
    mutating func tell(_ rollout: ControlPlaneRollout, _ settings: ClusterSettings) {
        let now = Timestamp.format(Date())
        let isFirst = status.version == nil
        if rollout.hasServed { update { $0.noteServed(at: now) } }
        if rollout.state == .complete { update { $0.noteCompleted(at: now) } }
        if rollout.state == .complete, !isFirst { update { $0.version = settings.version } }
        let isUpgrade = status.latestVersion?.state == .partial && !isFirst
        switch rollout.state {
        case .complete: set("Progressing", false, reason: "Done")
        case .notBegun, .underWay:
            set(
                "Progressing", true, reason: isUpgrade ? "Upgrading" : "RollingOut",
                message: isUpgrade ? "to \(settings.pinned): \(rollout.words)" : rollout.words)
        case .stopped:
            let isFree = status.servedVersion == status.completedVersion
            let way = isFree ? "; what served before goes on, and may be gone back to" : ""
            set(
                "Progressing", false, reason: isUpgrade ? "UpgradeStopped" : "RolloutStopped",
                message: isUpgrade ? "the upgrade to \(settings.pinned) has stopped: \(rollout.words)\(way)" : rollout.words)
        }
    }

    /// A question about an upgrade that is not answered yet.
    func openQuestion(of cluster: HostedCluster) -> UpgradeRequest? {
        let request = cluster.metadata.annotations?[UpgradeRequest.annotation].flatMap { UpgradeRequest(annotation: $0) }
        return request?.id == status.upgradeCheck?.id ? nil : request
    }

    mutating func answer(_ question: UpgradeRequest, _ target: PinnedVersion, _ checks: [UpgradeCheck]) {
        let answer = UpgradeAnswer(
            id: question.id, version: target.version, release: target.release, checks: checks, answeredAt: Timestamp.format(Date()))
        update { $0.upgradeCheck = answer }
    }
}

extension ControlPlaneInput {
    /// What is put into the tenant while two versions serve side by side is what the older one knows.
    func serving(_ status: HostedClusterStatus, _ rollout: ControlPlaneRollout) -> ControlPlaneInput {
        guard rollout.state != .complete, let serving = status.completedVersion else { return self }
        var input = self
        input.settings.version = min(serving.version, settings.version)
        if let template = TemplateRevision(release: serving.pinned.release) { input.settings.template = min(template, settings.template) }
        return input
    }
}

extension ControlPlaneRollout {
    /// Whether a pod with these images is ready.
    static func hasServed(_ pods: [Pod], images: Set<String>) -> Bool {
        pods.contains { $0.runs(images) && $0.isReady }
    }
}
