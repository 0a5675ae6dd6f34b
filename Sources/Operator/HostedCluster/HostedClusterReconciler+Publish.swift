import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI

/// What the host has given to a control plane's Services.
struct HostAddresses: Sendable {
    var published: PublishedEndpoints
    /// What nodes are told: those, and for a while earlier ones.
    var told: PublishedEndpoints
    /// When to look again whether earlier ones may go.
    var handoverLeft: TimeInterval?
    /// Cluster IP of the API server's Service.
    var api: String
    /// Cluster IPs of etcd's members, in order.
    var etcd: [String]
}

extension HostedClusterReconciler {
    /// The Services, and from them where the API server and the tunnel are reached from outside. Nil while that is not known.
    func publish(
        _ settings: ClusterSettings, _ sight: ControlPlaneSight, _ report: inout ClusterReport
    ) async throws -> HostAddresses? {
        let before = PublishedEndpoints(api: report.status.apiEndpoints ?? [], tunnel: report.status.tunnelEndpoints ?? [])
        let retiring = report.status.retiringEndpoints
        let known = PublishedEndpoints(api: before.api + (retiring?.api ?? []), tunnel: before.tunnel + (retiring?.tunnel ?? []))
        let traffic = try await trafficPolicy(settings, sight)
        try await applied.apply(ControlPlane.services(settings, known: known, traffic: traffic), scope: settings.uid, with: client)
        let namespace = settings.controlPlaneNamespace
        let api = try await client.get(Service.self, NestboxName.apiService, namespace: namespace)
        let tunnel = try await client.get(Service.self, NestboxName.tunnelService, namespace: namespace)
        var etcd: [String] = []
        for member in settings.etcdNames {
            etcd.append(try await client.get(Service.self, member, namespace: namespace).spec?.clusterIP ?? "")
        }
        let published = PublishedEndpoints(
            publish: settings.spec.publish, apiService: api, tunnelService: tunnel, hostNodes: hostNodes.list())
        guard published.isComplete else {
            let what =
                settings.spec.publish?.type == "LoadBalancer"
                ? "the host's load balancer has given its Services no address yet" : "no node of the host has an address"
            report.set("Published", false, reason: "NoAddress", message: what)
            report.notAvailable(what)
            return nil
        }
        let now = Date()
        let handover = EndpointHandover(
            published: published, before: before, retiring: retiring,
            reports: sessions.session(settings.uid)?.tunnelReports.list() ?? [], now: now)
        report.set(
            "Published", true,
            reason: handover.isOverdue
                ? "NotConfirmed" : handover.retiring != nil ? "HandingOver" : settings.spec.publish?.type ?? "NodePort",
            message: ([published.api.joined(separator: ", ")] + (handover.message.isEmpty ? [] : [handover.message])).joined(
                separator: "; "))
        report.update {
            $0.apiEndpoints = published.api
            $0.tunnelEndpoints = published.tunnel
            $0.retiringEndpoints = handover.retiring
        }
        return HostAddresses(
            published: published, told: handover.told, handoverLeft: handover.timeLeft(at: now), api: api.spec?.clusterIP ?? "", etcd: etcd)
    }

    private func trafficPolicy(_ settings: ClusterSettings, _ sight: ControlPlaneSight) async throws -> TrafficPolicy {
        let publish = settings.spec.publish
        func decide(serving: Int, present: TrafficPolicy?) -> TrafficPolicy {
            TrafficPolicy.decide(
                asked: publish?.externalTrafficPolicy, type: publish?.type ?? "NodePort",
                addresses: PublishedEndpoints.addressCount(publish, hostNodes: hostNodes.list()), replicas: settings.replicas,
                serving: serving, present: present)
        }
        // Whatever serves, it would be the same.
        let atBest = decide(serving: settings.replicas, present: nil)
        guard atBest != decide(serving: 0, present: nil) else { return atBest }
        let present = try await client.find(Service.self, NestboxName.apiService, namespace: settings.controlPlaneNamespace)
        return decide(
            serving: sight.deployment?.status?.readyReplicas ?? 0,
            present: present?.spec?.externalTrafficPolicy.flatMap { TrafficPolicy(rawValue: $0) })
    }
}

extension InformerChange<Node> {
    /// Whether a control plane may be published elsewhere now. A node that only says that it is alive, as each does all the time,
    /// matters to nobody.
    var movesAddresses: Bool {
        if case .updated(let old, let new) = self { return old.status?.addresses != new.status?.addresses }
        return true
    }
}
