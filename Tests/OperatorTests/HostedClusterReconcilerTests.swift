import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import TestKubernetes
import Testing

@testable import Operator

/// The phases of a HostedCluster on a real API server, as far as they go on a host that runs no pods.
@Suite(.integration, .kubernetes, .serialized, .timeLimit(.minutes(10))) struct HostedClusterReconcilerTests {
    @Test func rootsThatAreMissingBeforeItServedAreMade() async throws {
        try await Host.with { host in
            try await host.pass(2)
            let before = try await host.secret("cluster-ca")
            try await host.client.delete(Secret.self, "etcd-ca", namespace: host.controlPlane)
            try await host.restarted().pass()
            #expect(try await host.secret("cluster-ca").data == before.data)
            _ = try await host.secret("etcd-ca")
            #expect(try await host.condition("ControlPlaneLost") == nil)

            // Once it has served, the same is a loss, and nothing is made over it.
            try await host.change { $0.etcdClusterID = "1" }
            try await host.client.delete(Secret.self, "etcd-ca", namespace: host.controlPlane)
            #expect(try await host.restarted().pass() == .requeue(after: .seconds(60)))
            #expect(try await host.condition("ControlPlaneLost")?.message.contains("etcd-ca") == true)
            #expect(try await host.client.find(Secret.self, "etcd-ca", namespace: host.controlPlane) == nil)
        }
    }

    @Test func aRefusedSpecHoldsUpNothingAndIsSaidOnce() async throws {
        try await Host.with { host in
            try await host.pass(2)
            #expect(try await host.condition("ValidConfiguration")?.status == "True")
            var cluster = try await host.cluster()
            cluster.spec?.network = NetworkSpec(pods: "10.99.0.0/16")
            _ = try await host.client.update(cluster)
            try await host.client.delete(Secret.self, "kube-scheduler", namespace: host.controlPlane)
            let restarted = host.restarted()
            #expect(try await restarted.pass() == .requeue(after: .seconds(10)))
            #expect(try await host.condition("ValidConfiguration")?.reason == "Immutable")
            #expect(try await host.condition("EtcdAvailable")?.reason == "NoStorageClass")
            _ = try await host.secret("kube-scheduler")

            let version = try await host.cluster().metadata.resourceVersion
            // Long enough for a new time of transition to be another.
            let start = Timestamp.format(Date())
            try await eventually("the next second") { Timestamp.format(Date()) != start }
            try await restarted.pass()
            try await restarted.pass()
            #expect(try await host.cluster().metadata.resourceVersion == version)
        }
    }

    /// As when an operator with a newer default comes: what was accepted before there were two, and what was pinned to the first.
    @Test func anotherOperatorRollsNobody() async throws {
        try await Host.with({ $0.release = TemplateRevision.first.release }, withStorage: true) { host in
            try await host.pass(2)
            let before = try await host.templates()
            #expect(before.images.contains("nestbox.dev/nestbox-tunnel:v0.1.0"))
            #expect(try await host.cluster().status?.release == "v0.1.0")

            var cluster = try await host.cluster()
            cluster.spec?.release = nil
            _ = try await host.client.update(cluster)
            try await host.restarted().pass()
            #expect(try await host.templates() == before)

            // The spec that was accepted names no release.
            let annotation = AcceptedSpec.annotation
            let text = try #require(try await host.client.get(Namespace.self, host.controlPlane).metadata.annotations?[annotation])
            let spec = text.replacing(#""release":"v0.1.0","#, with: "")
            #expect(spec != text)
            _ = try await host.client.patch(
                Namespace.self, host.controlPlane, merge: ["metadata": ["annotations": [annotation: .string(spec)]]])
            try await host.restarted().pass()
            #expect(try await host.templates() == before)
            #expect(try await host.cluster().status?.release == "v0.1.0" && Defaults.release != "v0.1.0")

            // It could not be the same by chance: the newer revision's templates are others.
            try await host.changeSpec { $0.release = Defaults.release }
            try await host.restarted().pass()
            #expect(try await host.templates() != before, "it has never served, and so becomes the newer one at once")
        }
    }

    @Test func aLoadBalancerThatIsNotThereYetEndsNothing() async throws {
        try await Host.with { host in
            try await host.pass(2)
            let before = try #require(try await host.cluster().status?.apiEndpoints)
            try await host.client.delete(Secret.self, "kube-scheduler", namespace: host.controlPlane)
            try await host.changeSpec { $0.publish = PublishSpec(type: "LoadBalancer") }
            try await host.restarted().pass()
            let published = try #require(try await host.condition("Published"))
            #expect(published.status == "False" && published.reason == "NoAddress")
            #expect(published.message.hasSuffix("till then it is published as before: \(before.joined(separator: ", "))"))
            #expect(try await host.cluster().status?.apiEndpoints == before)
            _ = try await host.secret("kube-scheduler")
        }
    }

    @Test func aCertificateThatCannotBeReadIsMadeAnew() async throws {
        try await Host.with { host in
            try await host.pass(2)
            let before = try await host.secret("kube-scheduler")
            let key = try #require(before.data?.keys.first { $0.hasSuffix("client.crt") }, "\(before.data?.keys.sorted() ?? [])")
            _ = try await host.client.patch(
                Secret.self, "kube-scheduler", namespace: host.controlPlane, merge: ["data": [key: .string("ZGFtYWdlZA==")]])
            try await host.restarted().pass()
            let after = try await host.secret("kube-scheduler").data?[key]
            #expect(after != before.data?[key] && after.map { String(decoding: $0.bytes, as: UTF8.self) }?.contains("BEGIN") == true)
        }
    }

    /// As an operator made it that let the StatefulSet replace its own pods.
    @Test func aRollingUpdateOfEtcdIsNoMore() async throws {
        try await Host.with(withStorage: true) { host in
            try await host.pass(2)
            func strategy() async throws -> UpdateStrategy? {
                try await host.client.get(StatefulSet.self, NestboxName.etcdStatefulSet, namespace: host.controlPlane).spec?.updateStrategy
            }
            _ = try await host.client.patch(
                StatefulSet.self, NestboxName.etcdStatefulSet, namespace: host.controlPlane,
                merge: ["spec": ["updateStrategy": ["type": "RollingUpdate", "rollingUpdate": ["partition": 0]]]])
            #expect(try await strategy()?.rollingUpdate != nil)
            try await host.restarted().pass()
            #expect(try await strategy() == UpdateStrategy(type: "OnDelete"))
        }
    }

    /// The earlier one's Job is done, and its pod, which still names the claim, is there.
    @Test func aSnapshotTakesTheEarlierOnesPlace() async throws {
        try await Host.with(withStorage: true) { host in
            try await host.pass(2)
            var cluster = try await host.cluster()
            cluster.spec?.release = Defaults.release
            let settings = try ClusterSettings(cluster)
            let keys = try ClusterKeys.make(settings, now: Date())
            let input = try ControlPlaneInput(
                cluster: cluster, keys: keys, endpoints: PublishedEndpoints(), etcdServiceAddresses: ["192.0.2.7"],
                hostVersion: host.reconciler.hostVersion)
            var report = ClusterReport(cluster)
            func isTaken(before image: String) async throws -> Bool {
                let sight = try await ControlPlaneSight.look(into: host.controlPlane, with: host.client)
                return try await host.reconciler.hasSnapshot(before: image, input, sight, &report)
            }
            func claim() async throws -> PersistentVolumeClaim? {
                try await host.client.find(PersistentVolumeClaim.self, EtcdSnapshot.claim, namespace: host.controlPlane)
            }
            #expect(try await !isTaken(before: "r/etcd:3.5.24-0"))
            let first = try #require(try await claim())
            var template = EtcdSnapshot.job(settings, image: "r/etcd:3.5.24-0", serviceAddresses: []).spec?.template
            // Its class is installed with the operator.
            template?.spec?.priorityClassName = nil
            let pod = Pod(
                metadata: ObjectMeta(
                    name: "etcd-snapshot-1", namespace: host.controlPlane, labels: template?.metadata?.labels),
                spec: template?.spec)
            _ = try await host.client.create(pod)

            #expect(try await !isTaken(before: "r/etcd:3.6.8-0"))
            #expect(try await host.client.find(Pod.self, pod.name, namespace: host.controlPlane) == nil)
            // No pod names it: the host's controller would let it go now.
            if let going = try await claim() {
                #expect(going.metadata.isBeingDeleted)
                try await host.client.removeFinalizer("kubernetes.io/pvc-protection", from: going)
            }
            #expect(try await !isTaken(before: "r/etcd:3.6.8-0"))
            #expect(try await claim()?.metadata.uid != first.metadata.uid)
            _ = try await host.client.get(Job.self, "etcd-snapshot-3-6-8-0", namespace: host.controlPlane)
            #expect(report.status.conditions?.named(HostedClusterReconciler.upgradeReady)?.reason == "TakingSnapshot")
        }
    }

    @Test func aQuestionIsAnsweredAlsoWhenNothingServes() async throws {
        try await Host.with { host in
            try await host.pass(2)
            let request = UpgradeRequest(id: "1", version: KubernetesVersion(1, 21, 0))
            _ = try await host.client.patch(
                HostedCluster.self, "demo", namespace: host.namespace,
                merge: ["metadata": ["annotations": [UpgradeRequest.annotation: .string(try request.annotationText)]]])
            try await host.pass()
            let answer = try #require(try await host.cluster().status?.upgradeCheck)
            #expect(answer.id == "1" && answer.version == KubernetesVersion(1, 21, 0))
            #expect(answer.checks.map(\.name) == ["ControlPlane"] && answer.checks.refusal?.contains("StorageClass") == true)
            let version = try await host.cluster().metadata.resourceVersion
            try await host.pass()
            #expect(try await host.cluster().metadata.resourceVersion == version, "it is answered once")
        }
    }

    @Test func aNamespaceOfSomebodyElsesIsLeftAlone() async throws {
        try await Host.with { host in
            let theirs = try await host.client.create(Namespace(metadata: ObjectMeta(name: host.controlPlane)))
            #expect(try await host.pass(2) == .requeue(after: .seconds(5)))
            #expect(try await host.condition("Progressing")?.reason == "NamespaceTaken")
            let after = try await host.client.get(Namespace.self, host.controlPlane)
            #expect(after.metadata.resourceVersion == theirs.metadata.resourceVersion)
        }
    }

    @Test func aControlPlaneWhoseNamespaceIsGoneIsLost() async throws {
        try await Host.with { host in
            try await host.change {
                $0.etcdClusterID = "1"
                var conditions = ConditionSet(nil, generation: 1)
                for type in ["Available", "EtcdAvailable", "Published"] { conditions.set(type, true, reason: "Good", message: "") }
                $0.conditions = conditions.list
            }
            #expect(try await host.pass(2) == .requeue(after: .seconds(60)))
            #expect(try await host.condition("ControlPlaneLost")?.status == "True")
            for type in ["Available", "EtcdAvailable", "Published"] {
                #expect(try await host.condition(type)?.reason == "ControlPlaneLost", "\(type)")
            }
            #expect(try await host.client.find(Namespace.self, ObjectKey(name: host.controlPlane)) == nil)
        }
    }

    @Test func aPausedClusterIsNotTouchedAndKeepsItsSession() async throws {
        try await Host.with { host in
            try await host.pass(2)
            try await host.change { $0.version = KubernetesVersion(1, 20, 2) }
            var cluster = try await host.cluster()
            cluster.spec?.pausedUntil = Timestamp.format(Date().addingTimeInterval(600))
            _ = try await host.client.update(cluster)
            try await host.client.delete(Secret.self, "kube-scheduler", namespace: host.controlPlane)
            let restarted = host.restarted()
            guard case .requeue(let after) = try await restarted.pass() else {
                Issue.record("nobody looks again when the pause is over")
                return
            }
            #expect(after > .seconds(500) && after <= .seconds(600))
            #expect(try await host.client.find(Secret.self, "kube-scheduler", namespace: host.controlPlane) == nil)
            let uid = try #require(cluster.metadata.uid)
            #expect(restarted.reconciler.sessions.session(uid) != nil)
            restarted.reconciler.sessions.close(uid)
        }
    }

    @Test func whatIsAskedIsRenewedOnceAndAnswered() async throws {
        try await Host.with { host in
            try await host.pass(2)
            let before = try await host.secret("kube-scheduler")
            let others = try await host.secret("kube-controller-manager")
            let items = try await host.cluster().status?.certificates?.items ?? []
            #expect(items.count == 3 + Leaf.allCases.count, "\(items.map(\.name))")
            #expect(try await host.condition("CertificatesValid")?.status == "True")

            try await host.ask(CertificateRenewalRequest(id: "one", certificates: ["scheduler"]))
            try await host.pass()
            let renewed = try await host.secret("kube-scheduler")
            #expect(renewed.data?["client.crt"] != before.data?["client.crt"])
            #expect(try await host.secret("kube-controller-manager").data == others.data)
            let answer = try await host.cluster().status?.certificates?.renewal
            #expect(answer?.id == "one" && answer?.state == .issued && answer?.issuedAt != nil)
            // It was answered: neither another pass nor another operator does it again.
            try await host.pass()
            try await host.restarted().pass()
            #expect(try await host.secret("kube-scheduler").data == renewed.data)
            #expect(try await host.cluster().status?.certificates?.renewal == answer)

            try await host.ask(CertificateRenewalRequest(id: "two", certificates: ["scheduler", "cluster-ca"]))
            try await host.pass()
            #expect(try await host.cluster().status?.certificates?.renewal?.state == .refused)
            #expect(try await host.secret("kube-scheduler").data == renewed.data)
        }
    }

    @Test func whatIsProtectedServesOnThoughItIsDeleted() async throws {
        try await Host.with { host in
            var cluster = try await host.cluster()
            cluster.spec?.deletionProtection = true
            _ = try await host.client.update(cluster)
            try await host.pass(2)
            try await host.client.delete(HostedCluster.self, "demo", namespace: host.namespace)
            // What it needs every day it has still, whoever reconciles it.
            try await host.client.delete(Secret.self, "kube-scheduler", namespace: host.controlPlane)
            let restarted = host.restarted()
            try await restarted.pass()
            _ = try await host.secret("kube-scheduler")
            let deleting = try #require(try await host.condition("Deleting"))
            #expect(deleting.status == "True" && deleting.reason == "Protected")
            #expect(try await host.cluster().status?.deletion?.contains("spec.deletionProtection to be taken away") == true)
            #expect(try await host.client.get(Namespace.self, host.controlPlane).metadata.deletionTimestamp == nil)

            cluster = try await host.cluster()
            cluster.spec?.deletionProtection = false
            _ = try await host.client.update(cluster)
            try await restarted.pass()
            #expect(try await host.condition("Deleting")?.reason == "RemovingControlPlane")
            #expect(try await host.client.get(Namespace.self, host.controlPlane).metadata.deletionTimestamp != nil)
        }
    }

    @Test func anAuditWebhookOutlivesItsSecret() async throws {
        try await Host.with { host in
            var cluster = try await host.cluster()
            cluster.spec?.controlPlane = ControlPlaneSpec(
                audit: AuditSpec(
                    policy: ["apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [["level": "Metadata"]]],
                    webhook: AuditWebhookSpec(kubeconfigSecret: "collector")))
            _ = try await host.client.update(cluster)
            try await host.pass(2)
            let settings = try ClusterSettings(try await host.cluster().withDefaults())
            var report = ClusterReport(cluster)
            func condition() -> Condition? { report.status.conditions?.named(HostedClusterReconciler.auditWebhookCondition) }
            #expect(try await host.reconciler.auditWebhook(settings, &report) == nil)
            #expect(condition()?.message.contains("there is no Secret collector") == true)
            _ = try await host.client.create(
                Secret(
                    metadata: ObjectMeta(name: "collector", namespace: host.namespace), type: "Opaque",
                    data: ["kubeconfig": Base64(text: "one")]))
            #expect(try await host.reconciler.auditWebhook(settings, &report) == "one")
            #expect(condition()?.status == "True")
            // As the pods have it.
            _ = try await host.client.create(
                Secret(
                    metadata: ObjectMeta(name: NestboxName.auditWebhookSecret, namespace: host.controlPlane), type: "Opaque",
                    data: ["kubeconfig": Base64(text: "one")]))
            try await host.client.delete(Secret.self, "collector", namespace: host.namespace)
            #expect(try await host.reconciler.auditWebhook(settings, &report) == "one")
            #expect(condition()?.message.contains("audit events are sent as before") == true)

            cluster = try await host.cluster()
            cluster.spec?.controlPlane = nil
            _ = try await host.client.update(cluster)
            try await host.pass()
            #expect(try await host.reconciler.auditWebhook(try ClusterSettings(try await host.cluster()), &report) == nil)
            #expect(condition() == nil)
        }
    }

    @Test func aKubeconfigOfSomebodyElsesIsLeftAlone() async throws {
        try await Host.with { host in
            try await host.pass(2)
            let cluster = try await host.cluster().withDefaults()
            let settings = try ClusterSettings(cluster)
            let keys = try ClusterKeys.make(settings, now: Date())
            let input = try ControlPlaneInput(
                cluster: cluster, keys: keys, endpoints: PublishedEndpoints(api: ["192.0.2.1:30001"], tunnel: ["192.0.2.1:30002"]),
                etcdServiceAddresses: [], hostVersion: KubernetesVersion(1, 20, 2))
            let name = "demo-kubeconfig"
            let theirs = try await host.client.create(
                Secret(metadata: ObjectMeta(name: name, namespace: host.namespace), type: "Opaque", data: ["a": Base64(text: "b")]))
            var report = ClusterReport(cluster)
            #expect(try await host.reconciler.offerKubeconfig(input, &report) == nil)
            #expect(report.status.conditions?.named("KubeconfigAvailable")?.reason == "SecretTaken")
            let after = try await host.client.get(Secret.self, name, namespace: host.namespace)
            #expect(after.metadata.resourceVersion == theirs.metadata.resourceVersion)

            try await host.client.delete(Secret.self, name, namespace: host.namespace)
            let renewal = try #require(try await host.reconciler.offerKubeconfig(input, &report))
            #expect(report.status.kubeconfigSecret == name)
            // The second time it is ours: kept, to be made anew when the first said.
            let kept = try #require(try await host.reconciler.offerKubeconfig(input, &report))
            #expect(abs(kept.timeIntervalSince(renewal)) < 2)
            #expect(report.status.certificates?.items?.last?.name == "kubeconfig")

            // Somebody asks for another, which is made once.
            let made = try await host.client.get(Secret.self, name, namespace: host.namespace)
            // In whole seconds, as it is told.
            let asked = try #require(Timestamp.parse(Timestamp.format(Date().addingTimeInterval(1))))
            try await eventually("the next second") { Date() > asked }
            _ = try await host.reconciler.offerKubeconfig(input, asked: asked, &report)
            let again = try await host.client.get(Secret.self, name, namespace: host.namespace)
            #expect(again.data != made.data)
            _ = try await host.reconciler.offerKubeconfig(input, asked: asked, &report)
            #expect(try await host.client.get(Secret.self, name, namespace: host.namespace).data == again.data)
        }
    }
}
