import ControlPlane
import KubernetesAPI
import KubernetesClient

/// What the host shows of one control plane. It is taken once a pass, before the pass changes anything, and what the pass applies then is
/// seen as the API server answered it: a status of an earlier generation tells nothing of the new one.
struct ControlPlaneSight {
    var deployment: Deployment?
    var statefulSet: StatefulSet?
    var services: [Service] = []
    /// Of all components, those on their way out too.
    var pods: [Pod] = []
    var claims: [PersistentVolumeClaim] = []
    /// Why a claim's volume cannot be had any more, by the claim's name.
    var losses: [String: String] = [:]
}

extension ControlPlaneSight {
    static func look(into namespace: String, with client: KubernetesClient) async throws -> ControlPlaneSight {
        // In this order: a Deployment that counts no pod but its own may still have others on their way out, which the list has then, and
        // a pod of etcd is made after its claim, and never seen without it.
        let deployment = try await client.find(Deployment.self, NestboxName.controlPlaneDeployment, namespace: namespace)
        let statefulSet = try await client.find(StatefulSet.self, NestboxName.etcdStatefulSet, namespace: namespace)
        let services = try await client.list(Service.self, namespace: namespace).items
        let pods = try await client.list(Pod.self, namespace: namespace, labels: NestboxLabel.component).items
        let claims = try await client.list(PersistentVolumeClaim.self, namespace: namespace).items
        var sight = ControlPlaneSight(
            deployment: deployment, statefulSet: statefulSet, services: services, pods: pods, claims: claims)
        for pod in sight.pods(of: NestboxName.etcdStatefulSet) where pod.unscheduled != nil {
            for claim in claims where claim.name == EtcdVolume.name(of: pod.name) {
                sight.losses[claim.name] = try await EtcdVolume.loss(of: claim, with: client)
            }
        }
        return sight
    }

    /// What the API server answered to what was applied.
    mutating func take(_ answers: [any KubernetesObject]) {
        for answer in answers {
            if let deployment = answer as? Deployment { self.deployment = deployment }
            if let statefulSet = answer as? StatefulSet { self.statefulSet = statefulSet }
            if let service = answer as? Service { services = services.filter { $0.name != service.name } + [service] }
        }
    }
}

extension ControlPlaneSight {
    func service(_ name: String) -> Service? { services.first { $0.name == name } }

    /// What runs of the API servers.
    var apiServers: ScalingOrder.APIServers {
        guard let deployment else { return ScalingOrder.APIServers(wanted: nil, told: nil, isRolledOut: false, running: 0) }
        return ScalingOrder.APIServers(
            wanted: deployment.spec?.replicas, told: ControlPlane.etcdServers(of: deployment),
            isRolledOut: ControlPlaneRollout.isComplete(deployment),
            running: pods(of: NestboxName.controlPlaneDeployment).count(where: \.isNotOver), ready: deployment.status?.readyReplicas ?? 0)
    }

    /// - Parameter component: as its pods are labelled: the name of the Deployment or the StatefulSet that makes them, or a Job's own.
    func pods(of component: String) -> [Pod] { pods.filter { $0.metadata.labels?[NestboxLabel.component] == component } }

    /// Pods on their way out in which nothing runs any more.
    var endedPods: [Pod] { pods.filter(\.hasEnded) }

    /// The first thing that keeps a component's pods from being ready, in the host's words.
    func trouble(of component: String) -> String? { pods(of: component).lazy.compactMap(PodTrouble.words).first }
}

extension EtcdHost {
    /// - Parameter members: how many etcd may ever have.
    init(_ sight: ControlPlaneSight, members: Int) {
        self.init(statefulSet: sight.statefulSet, pods: [:], volumes: [:])
        let etcdPods = sight.pods(of: NestboxName.etcdStatefulSet)
        let newest = sight.statefulSet?.newestRevision
        for ordinal in 0..<members {
            volumes[ordinal] = sight.claims.first { $0.name == EtcdVolume.name(ordinal) }
                .map { EtcdVolume($0, loss: sight.losses[$0.name]) }
            guard let pod = etcdPods.first(where: { $0.name == NestboxName.etcdMember(ordinal) }) else { continue }
            pods[ordinal] = EtcdPod(pod, volume: volumes[ordinal])
            if pod.isReady { ready.insert(ordinal) }
            if let newest, pod.metadata.labels?[StatefulSet.revisionLabel] != newest { outdated.insert(ordinal) }
        }
        let seen = etcdPods.map(\.metadata) + sight.claims.map(\.metadata)
        marks =
            ["\(statefulSet?.spec?.replicas ?? 0)", "\(outdated.sorted())"]
            + seen.map { "\($0.name ?? "") \($0.uid ?? "") \($0.resourceVersion ?? "")" }
    }
}

extension Pod {
    /// Whether it runs or is about to; one that is on its way out still does, until it has ended.
    var isNotOver: Bool { !["Succeeded", "Failed"].contains(status?.phase) && !hasEnded }

    /// Whether it is on its way out and, by its kubelet's word, nothing runs in it any more, and nothing will.
    fileprivate var hasEnded: Bool {
        let containers = status?.containerStatuses ?? []
        // Of containers that it had to kill, and has removed, a kubelet before 1.22 says until its next cleaning that they are being created.
        let isAllWaiting = status?.phase == "Running" && containers.allSatisfy { $0.state?.waiting != nil }
        return metadata.isBeingDeleted && !containers.isEmpty
            && (isAllWaiting || containers.allSatisfy { $0.state?.terminated != nil })
    }
}
