import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import Logging
import NestboxAPI

extension HostedClusterReconciler {
    static let upgradeReady = "UpgradeReady"

    /// What an upgrade is decided on has to be known before the spec is chosen: what was accepted, and whether a replica of it serves.
    /// Returns what it saw where it had to look: most passes look later, when the operator has been given its rights in the namespace.
    func lookAtRollout(
        _ asked: HostedCluster, accepted: HostedClusterSpec?, _ report: inout ClusterReport
    ) async throws -> ControlPlaneSight? {
        guard let pinned = accepted?.pinned else { return nil }
        let now = Timestamp.format(Date())
        report.update { $0.follow(pinned, at: now) }
        guard asked.spec?.version != pinned.version || asked.spec?.release.map({ $0 != pinned.release }) == true,
            report.status.latestVersion?.hasServed == false
        else { return nil }
        let sight = try await ControlPlaneSight.look(into: asked.controlPlaneNamespace, with: client)
        let images = ControlPlane.markingImages(pinned, imageRegistry: accepted?.controlPlane?.imageRegistry ?? Defaults.imageRegistry)
        let pods = sight.pods(of: NestboxName.controlPlaneDeployment)
        if ControlPlaneRollout.hasServed(pods, images: images) { report.update { $0.noteServed(at: now) } }
        return sight
    }

    /// Before anything else is known, so that a pass that does not come as far as the checks leaves word of it.
    func announceUpgrade(_ target: PinnedVersion?, _ report: inout ClusterReport) {
        guard let target else { return report.remove(Self.upgradeReady) }
        report.set(
            Self.upgradeReady, false, reason: "NotServing",
            message: "to become \(target), the control plane has to serve first: "
                + (report.status.conditions?.missing("Available") ?? "it is being looked at"))
    }

    /// The checks of an upgrade that is asked for or asked about. Accepts the one that is asked for when nothing speaks against it.
    /// Returns when to go on; nil when there is nothing to go on with.
    func considerUpgrade(
        _ target: PinnedVersion?, of cluster: HostedCluster, _ input: ControlPlaneInput, _ sight: ControlPlaneSight,
        _ report: inout ClusterReport
    ) async throws -> Duration? {
        let question = report.openQuestion(of: cluster)
        guard target != nil || question != nil, let accepted = cluster.spec?.pinned else { return nil }
        let facts = try await upgradeFacts(input, accepted: accepted, report.status)
        if let question {
            let asked = accepted.changed(version: question.version, release: question.release)
            report.answer(question, asked, UpgradeChecks.run(asked, try await facts.about(asked, input, client)))
        }
        guard let target else { return nil }
        let known = try await facts.about(target, input, client)
        let checks = UpgradeChecks.run(target, known)
        if let refusal = checks.refusal {
            report.set(
                Self.upgradeReady, false, reason: "ChecksFailed",
                message: "\(target) is not begun, and \(accepted) goes on: \(refusal)")
            return .seconds(60)
        }
        if let etcd = known.nextEtcd, try await !hasSnapshot(before: etcd, input, sight, &report) {
            return report.patience(.seconds(3), with: Self.upgradeReady)
        }
        report.set(Self.upgradeReady, true, reason: "ChecksPassed", message: checks.warning ?? "")
        try await accept(target, of: cluster, &report)
        return .milliseconds(50)
    }

    /// From here on the cluster is built as that.
    private func accept(_ target: PinnedVersion, of cluster: HostedCluster, _ report: inout ClusterReport) async throws {
        var next = cluster
        next.spec?.version = target.version
        next.spec?.release = target.release
        let spec = try AcceptedSpec.text(of: next)
        _ = try await client.patch(
            Namespace.self, cluster.controlPlaneNamespace, merge: ["metadata": ["annotations": [AcceptedSpec.annotation: .string(spec)]]])
        report.update { $0.follow(target, at: Timestamp.format(Date())) }
        logger.info("upgrade begun", metadata: ["cluster": "\(ObjectKey(cluster))", "to": "\(target)"])
    }

    /// A question that a pass could not come to, as of a cluster that does not serve, is answered all the same.
    func answerUnasked(_ asked: HostedCluster, _ report: inout ClusterReport) {
        var asked = asked
        asked.status = report.status
        guard let question = report.openQuestion(of: asked), let path = asked.upgradePath else { return }
        let target = path.accepted.changed(version: question.version, release: question.release)
        func unfit(_ why: String) -> [UpgradeCheck] { [UpgradeCheck("ControlPlane", .failed, why)] }
        let checks =
            report.status.conditions?.missing("ReconciliationActive").map(unfit) ?? UpgradeChecks.withoutLooking(target, path)
            ?? unfit(report.status.conditions?.missing("Available") ?? "the last pass over it did not come to its end")
        report.answer(question, target, checks)
    }

    // MARK: Facts

    private func upgradeFacts(
        _ input: ControlPlaneInput, accepted: PinnedVersion, _ status: HostedClusterStatus
    ) async throws -> UpgradeFacts {
        let settings = input.settings
        var facts = UpgradeFacts(path: UpgradePath(accepted: accepted, status: status))
        let session = sessions.session(settings.uid)
        facts.kubelets = try await kubelets(settings, session)
        facts.deprecated = await deprecatedAPIs(session)
        if let external = settings.externalEtcd {
            (facts.etcd, facts.externalEtcd) = try await externalEtcd(external, settings)
        } else {
            facts.etcd = await etcdMembers(input)
            facts.etcdQuota = settings.etcdQuota
            facts.etcdMembers = settings.replicas
        }
        facts.certificates = try input.keys.certificates.map { name, pem in
            UpgradeFacts.Certificate(name, try CertificateFacts(certificatePEM: pem))
        }
        if let client = input.externalEtcd?.keys.client, let read = try? CertificateFacts(certificatePEM: client.certificatePEM) {
            facts.certificates.append(UpgradeFacts.Certificate("the external etcd's client certificate", read))
        }
        return facts
    }

    /// Of pools as their specs say, of Machines as they were found, and of Nodes as they report themselves.
    private func kubelets(_ settings: ClusterSettings, _ session: TenantSession?) async throws -> [UpgradeFacts.Kubelet] {
        let pools = try await client.list(NodePool.self, namespace: settings.namespace).items.filter {
            $0.spec?.clusterName == settings.name && !$0.metadata.isBeingDeleted
        }
        let machines = try await client.list(Machine.self).items.filter { $0.status?.claim?.hostedClusterUID == settings.uid }
        let nodes = session?.nodes.list() ?? []
        let nodeNames = Set(nodes.map(\.name))
        let ofPools = pools.compactMap { pool in
            pool.spec?.version.map { UpgradeFacts.Kubelet(whose: "node pool \(pool.name)", version: "\($0)") }
        }
        let ofMachines = machines.filter { !nodeNames.contains($0.name) }.compactMap { machine in
            machine.status?.facts?.kubeletVersion.map { UpgradeFacts.Kubelet(whose: "machine \(machine.name)", version: $0) }
        }
        let ofNodes = nodes.compactMap { node in
            node.status?.nodeInfo?.kubeletVersion.map { UpgradeFacts.Kubelet(whose: "node \(node.name)", version: $0) }
        }
        return ofPools + (ofMachines + ofNodes).sorted { $0.whose < $1.whose }
    }

    private func deprecatedAPIs(_ session: TenantSession?) async -> UpgradeFacts.Learned<[DeprecatedAPI]> {
        guard let session else { return .unknown("the operator has no session with it") }
        do {
            let answer = try await session.client.raw(.get, path: "/metrics")
            guard answer.status == 200 else { return .unknown("its metrics were answered with HTTP \(answer.status)") }
            return .known(DeprecatedAPI.all(inMetrics: String(decoding: answer.body, as: UTF8.self)))
        } catch {
            return .unknown("its metrics could not be read: \(error)")
        }
    }

    /// Its endpoints as its members, and their version.
    private func externalEtcd(
        _ external: ExternalEtcdSpec, _ settings: ClusterSettings
    ) async throws -> (UpgradeFacts.Learned<[UpgradeFacts.Member]>, version: String?) {
        do {
            let found = try await find(external, settings)
            if let trouble = found.refused ?? found.sight.troubles.first { return (.unknown(trouble.message), nil) }
            let alarms = found.sight.isFull ? [EtcdAlarm.Kind.noSpace.rawValue] : []
            let members = found.sight.serving.map { UpgradeFacts.Member(name: $0, databaseSize: 0, alarms: alarms) }
            return (.known(members), found.sight.version)
        } catch let trouble as ExternalEtcdTrouble {
            return (.unknown(trouble.message), nil)
        }
    }

    private func etcdMembers(_ input: ControlPlaneInput) async -> UpgradeFacts.Learned<[UpgradeFacts.Member]> {
        do {
            return try await EtcdClient(addresses: input.etcdServiceAddresses, keys: input.keys, logger: logger).use { etcd in
                let alarms = try await etcd.alarms(through: 0)
                var members: [UpgradeFacts.Member] = []
                for member in try await etcd.members(through: 0) {
                    guard let ordinal = member.ordinal else { return .unknown("a member at \(member.peerURL) was not added by Nestbox") }
                    let status = try await etcd.status(of: ordinal)
                    guard status.hasLeader, !member.isLearner else {
                        return .unknown("\(member.name) \(member.isLearner ? "has no vote yet" : "has no leader")")
                    }
                    members.append(
                        UpgradeFacts.Member(
                            name: member.name, databaseSize: Int(status.size),
                            alarms: alarms.filter { $0.memberID == status.memberID }.map(\.kind.rawValue)))
                }
                return .known(members)
            }
        } catch {
            return .unknown("\(error)")
        }
    }
}

extension ClusterKeys {
    /// By what they are called in a message.
    fileprivate var certificates: [(name: String, pem: String)] {
        [
            ("the cluster's CA", cluster.certificatePEM), ("etcd's CA", etcd.certificatePEM),
            ("the front proxy's CA", frontProxy.certificatePEM),
        ]
            + leaves.map { ("certificate \($0.key.rawValue)", $0.value.certificatePEM) }.sorted { $0.0 < $1.0 }
    }
}

extension UpgradeFacts.Certificate {
    fileprivate init(_ name: String, _ facts: CertificateFacts) {
        self.init(name: name, notBefore: facts.notBefore, notAfter: facts.notAfter)
    }
}

extension UpgradeFacts {
    /// With what depends on where the upgrade leads.
    fileprivate func about(_ target: PinnedVersion, _ input: ControlPlaneInput, _ client: KubernetesClient) async throws -> UpgradeFacts {
        var facts = self
        var next = input
        next.settings.version = target.version
        next.etcdImageTag = EtcdImageChoice.tag(present: input.etcdImageTag, wanted: target.version.etcdImageTag)
        let (now, then) = (ControlPlane.etcdImage(input), ControlPlane.etcdImage(next))
        facts.nextEtcd = input.settings.externalEtcd == nil && EtcdImageChoice.isStep(from: now, to: then) ? then : nil
        let image = "\(next.settings.imageRegistry)/kube-apiserver:\(target.version)"
        // A few of them: a host may have thousands.
        let answer = try? await client.raw(.get, path: "/api/v1/nodes", query: [("limit", "20")])
        if let answer, answer.status == 200, let list = try? JSONDecoder().decode(JSONValue.self, from: Data(answer.body)) {
            facts.nodesWithImage = (list["items"]?.array ?? []).count { node in
                (node["status"]?["images"]?.array ?? []).contains { $0["names"]?.array?.contains(.string(image)) == true }
            }
        }
        return facts
    }
}
