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
        _ settings: ClusterSettings, _ sight: inout ControlPlaneSight, _ report: inout ClusterReport
    ) async throws -> HostAddresses? {
        let before = PublishedEndpoints(api: report.status.apiEndpoints ?? [], tunnel: report.status.tunnelEndpoints ?? [])
        let retiring = report.status.retiringEndpoints
        let known = PublishedEndpoints(api: before.api + (retiring?.api ?? []), tunnel: before.tunnel + (retiring?.tunnel ?? []))
        let traffic = trafficPolicy(settings, sight)
        let services = ControlPlane.services(settings, known: known, traffic: traffic)
        sight.take(try await applied.apply(services, scope: settings.uid, with: client))
        let api = try sight.given(NestboxName.apiService)
        let tunnel = try sight.given(NestboxName.tunnelService)
        let etcd = try settings.etcdNames.map { try sight.given($0).spec?.clusterIP ?? "" }
        let given = PublishedEndpoints(
            publish: settings.spec.publish, apiService: api, tunnelService: tunnel, hostNodes: hostNodes.list())
        // Where it was published before, its nodes reach it still: a cloud takes minutes for a load balancer, and may never have one.
        let published = given.isComplete ? given : before
        let type = settings.spec.publish?.type ?? "NodePort"
        let lack =
            type == "LoadBalancer"
            ? "the host's load balancer has given its Services no address yet" : "no node of the host has an address"
        guard published.isComplete else {
            report.set("Published", false, reason: "NoAddress", message: lack)
            report.notAvailable(lack)
            return nil
        }
        let now = Date()
        let handover = EndpointHandover(
            published: published, before: before, retiring: retiring,
            reports: sessions.session(settings.uid)?.tunnelReports.list() ?? [], now: now)
        report.published(published, handover, type: type, lack: given.isComplete ? nil : lack)
        return HostAddresses(
            published: published, told: handover.told, handoverLeft: handover.timeLeft(at: now), api: api.spec?.clusterIP ?? "", etcd: etcd)
    }

    private func trafficPolicy(_ settings: ClusterSettings, _ sight: ControlPlaneSight) -> TrafficPolicy {
        let publish = settings.spec.publish
        let replicas = sight.pods(of: NestboxName.controlPlaneDeployment).filter(\.isNotOver)
        let serving = replicas.filter { $0.isReady && !$0.metadata.isBeingDeleted }
        func nodes(of pods: [Pod]) -> Set<String> { Set(pods.compactMap { $0.spec?.nodeName }) }
        return TrafficPolicy.decide(
            asked: publish?.externalTrafficPolicy, type: publish?.type ?? "NodePort",
            addresses: PublishedEndpoints.addresses(
                publish, hostNodes: hostNodes.list(), replicas: nodes(of: replicas), serving: nodes(of: serving)),
            replicas: settings.replicas, serving: serving.count,
            present: sight.service(NestboxName.apiService)?.spec?.externalTrafficPolicy.flatMap { TrafficPolicy(rawValue: $0) })
    }
}

extension ClusterReport {
    /// - Parameter lack: why it is published as before, and not as it is to be.
    fileprivate mutating func published(_ endpoints: PublishedEndpoints, _ handover: EndpointHandover, type: String, lack: String?) {
        let addresses = endpoints.api.joined(separator: ", ")
        if let lack {
            set("Published", false, reason: "NoAddress", message: "\(lack); till then it is published as before: \(addresses)")
        } else {
            let reason = handover.isOverdue ? "NotConfirmed" : handover.retiring != nil ? "HandingOver" : type
            set("Published", true, reason: reason, message: handover.message.isEmpty ? addresses : "\(addresses); \(handover.message)")
        }
        update {
            $0.apiEndpoints = endpoints.api
            $0.tunnelEndpoints = endpoints.tunnel
            $0.retiringEndpoints = handover.retiring
        }
    }
}

extension ControlPlaneSight {
    /// The Service, which has been applied. Without it nothing else is: its address stands in pod templates.
    fileprivate func given(_ name: String) throws -> Service {
        guard let service = service(name) else { throw PhaseError("Service \(name) was deleted; it is made again") }
        return service
    }
}

extension InformerChange<Node> {
    /// Whether a control plane may be published elsewhere now, or an address of it lead elsewhere. A node that only says that it is alive,
    /// as each does all the time, matters to nobody.
    var movesTraffic: Bool {
        if case .updated(let old, let new) = self {
            return old.status?.addresses != new.status?.addresses || old.isReady != new.isReady
        }
        return true
    }
}
