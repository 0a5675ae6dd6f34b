import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI

/// What a pass found of an etcd that serves.
struct EtcdFindings {
    var clusterID: String
    /// What was seen of the API servers before anything was changed.
    var apiServers: ScalingOrder.APIServers
    /// What is done to its membership; nil when nothing is.
    var step: String?
    /// When it is to be looked at again.
    var nextLook: Duration

    /// Nobody tells how full a database is, nor when an external one's Secret changes. Not all clusters at once.
    static var rarely: Duration { .seconds(Int.random(in: 300...600)) }
}

extension HostedClusterReconciler {
    /// Runs etcd, makes sure that it holds this cluster's data, and brings it one step nearer to the members it is to have. Nil while it
    /// does not answer, or when the data is lost.
    ///
    /// Leaves in `input` how far the control plane's size has come.
    func runEtcd(
        _ input: inout ControlPlaneInput, _ sight: inout ControlPlaneSight, _ report: inout ClusterReport
    ) async throws -> EtcdFindings? {
        if let external = input.settings.externalEtcd { return try await runExternalEtcd(external, &input, &sight, &report) }
        // A volume that is there needs its class no more.
        if !input.isBootstrapped { guard try await storageClassExists(input.settings, &report) else { return nil } }
        let etcd = EtcdClient(addresses: input.etcdServiceAddresses, keys: input.keys, logger: logger)
        return try await etcd.use { try await runEtcd(through: $0, &input, &sight, &report) }
    }

    private func runEtcd(
        through etcd: EtcdClient, _ input: inout ControlPlaneInput, _ sight: inout ControlPlaneSight, _ report: inout ClusterReport
    ) async throws -> EtcdFindings? {
        let settings = input.settings
        let host = EtcdHost(sight, members: settings.etcdNames.count)
        let replicas = host.replicas(orNew: settings.replicas)
        let isBootstrapped = report.status.isBootstrapped
        let apiServers = sight.apiServers
        func plan(_ view: EtcdView?) -> (order: ScalingOrder, step: MembershipDecision?) {
            let order = ScalingOrder(
                wanted: isBootstrapped ? settings.replicas : replicas, isBootstrapped: isBootstrapped,
                voters: view?.sight.voters.filter(\.hasStarted).count, apiServers: apiServers)
            return (order, isBootstrapped ? view.map { MembershipDecision(wanted: order.etcdMembers, $0.sight) } : nil)
        }
        // What needed nothing, has not changed, and of which nothing else is wanted now is not asked again.
        let rest = isBootstrapped ? etcdCare.rest(of: settings.uid, host) : nil
        var view = rest?.view
        var (order, step) = plan(view)
        let isAsked = step != .settled
        if isAsked {
            etcdCare.endRest(of: settings.uid)
            view = await EtcdView.look(through: etcd, host: host, replicas: replicas, known: report.status.etcdClusterID)
            (order, step) = plan(view)
        }
        if let view, let known = report.status.etcdClusterID, known != view.clusterID {
            report.lost("etcd holds other data than this cluster's (its id is \(view.clusterID), it was \(known))")
            return nil
        }
        input.scale = ControlPlaneScale(
            apiServers: order.apiServers, etcdServers: order.etcdServers,
            etcdPods: host.replicas(after: step, view?.sight, orNew: settings.replicas),
            joining: isBootstrapped ? view?.sight.joining : nil)
        try await leaveRolling(sight.statefulSet)
        sight.take(try await applied.apply(ControlPlane.etcd(input), scope: settings.uid, with: client))
        if !isBootstrapped || view == nil {
            for ordinal in host.renewals(isBootstrapped: isBootstrapped) { try await renewPod(ordinal, settings) }
        }
        // The first time both start side by side: kube-apiserver waits for its etcd, and there is no data yet to look at first.
        if !isBootstrapped { sight.take(try await applied.apply(ControlPlane.pods(input), scope: settings.uid, with: client)) }

        guard let view else {
            notServing(host, sight, &report)
            return nil
        }
        // Before all have started one that is late may still do so as it was made; then the door is closed. Nobody is served before.
        let all = view.sight.voters
        if all.count == replicas, all.allSatisfy(\.hasStarted) { report.update { $0.etcdClusterID = view.clusterID } }
        report.set("EtcdAvailable", true, reason: "Ready")
        report.update {
            $0.etcd = EtcdMemberCounts(members: all.count, ready: all.filter(view.sight.isWell).count)
        }
        var findings = try await take(step, view, etcd, settings, apiServers: apiServers)
        guard isBootstrapped else { return findings }
        let need = await careForEtcd(view, etcd, settings, isNews: isAsked, &report)
        if isAsked, need == nil, step == .settled {
            etcdCare.rest(view, host, for: EtcdFindings.rarely, of: settings.uid)
        }
        if let look = need ?? etcdCare.rest(of: settings.uid, host)?.left { findings.nextLook = min(findings.nextLook, look) }
        return findings
    }

    private func take(
        _ step: MembershipDecision?, _ view: EtcdView, _ etcd: EtcdClient, _ settings: ClusterSettings, apiServers: ScalingOrder.APIServers
    ) async throws -> EtcdFindings {
        // Without a step they are about to start for the first time.
        var findings = EtcdFindings(
            clusterID: view.clusterID, apiServers: apiServers, step: step?.words, nextLook: step?.nextLook ?? .seconds(1))
        guard let step else { return findings }
        do {
            try await perform(step, through: view.leader, etcd, settings)
        } catch let error as EtcdError {
            // As when a learner has not caught up yet: to be asked again.
            logger.info("etcd refused a step", metadata: ["cluster": "\(settings.name)", "words": "\(error)"])
            findings.step = "\(step.words ?? ""): \(error.words)"
            findings.nextLook = .milliseconds(500)
        }
        return findings
    }

    private func perform(
        _ step: MembershipDecision, through leader: Int, _ etcd: EtcdClient, _ settings: ClusterSettings
    ) async throws {
        switch step {
        case .settled, .wait, .blocked: return
        default: logger.info("etcd", metadata: ["cluster": "\(settings.name)", "step": "\(step.words ?? "")"])
        }
        switch step {
        case .settled, .wait, .blocked, .run: break
        case .dropVolume(let ordinal):
            try await client.deleteIfPresent(
                PersistentVolumeClaim.self, EtcdVolume.name(ordinal), namespace: settings.controlPlaneNamespace)
            try await renewPod(ordinal, settings)
        case .renewPod(let ordinal): try await renewPod(ordinal, settings)
        case .restart(let ordinal):
            try await client.deleteIfPresent(Pod.self, NestboxName.etcdMember(ordinal), namespace: settings.controlPlaneNamespace)
        case .add(let ordinal): try await etcd.addLearner(peerURL: EtcdMember.peerURL(ordinal), through: leader)
        case .promote(let id, _): try await etcd.promote(id, through: leader)
        case .moveLeader(let ordinal, let id): try await etcd.moveLeader(from: ordinal, to: id)
        case .remove(let id, _): try await etcd.remove(id, through: leader)
        }
    }

    /// One from before the operator replaced the pods itself: applying alone would leave the settings of its rolling update, which its new
    /// strategy may not have.
    private func leaveRolling(_ statefulSet: StatefulSet?) async throws {
        guard let statefulSet, statefulSet.spec?.updateStrategy?.rollingUpdate != nil else { return }
        _ = try await client.patch(
            StatefulSet.self, statefulSet.name, namespace: statefulSet.namespace,
            merge: ["spec": ["updateStrategy": ["type": "OnDelete", "rollingUpdate": .null]]])
    }

    /// What it runs is good for nothing: it need not be given time to end.
    private func renewPod(_ ordinal: Int, _ settings: ClusterSettings) async throws {
        try await client.deleteIfPresent(
            Pod.self, NestboxName.etcdMember(ordinal), namespace: settings.controlPlaneNamespace, gracePeriodSeconds: 1)
    }

    private func notServing(_ host: EtcdHost, _ sight: ControlPlaneSight, _ report: inout ClusterReport) {
        if report.status.isBootstrapped, let loss = host.loss { return report.lost(loss) }
        let trouble = sight.trouble(of: NestboxName.etcdStatefulSet)
        let running = host.pods.values.filter { $0 == .running }.count
        let leaderless =
            running > 0 && report.status.isBootstrapped ? "etcd has no leader: \(running) of \(host.pods.count) members run" : nil
        report.set("EtcdAvailable", false, reason: "NotReady", message: trouble ?? leaderless ?? "etcd is starting")
        report.notAvailable("etcd is not ready")
    }

    private func storageClassExists(_ settings: ClusterSettings, _ report: inout ClusterReport) async throws -> Bool {
        let classes = try await client.list(StorageClass.self).items
        let wanted = settings.spec.etcd?.storage?.storageClassName
        let isThere =
            wanted.map { name in classes.contains { $0.name == name } }
            ?? classes.contains { $0.metadata.annotations?["storageclass.kubernetes.io/is-default-class"] == "true" }
        if !isThere {
            let message =
                wanted.map { "the host has no StorageClass \($0) (spec.etcd.storage.storageClassName)" }
                ?? "the host has no default StorageClass: set spec.etcd.storage.storageClassName, or make one the default"
            report.set("EtcdAvailable", false, reason: "NoStorageClass", message: message)
            report.notAvailable(message)
        }
        return isThere
    }
}

/// What a phase met that is none of the API's own errors.
struct PhaseError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
