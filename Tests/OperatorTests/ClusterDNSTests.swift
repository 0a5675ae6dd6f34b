import ControlPlane
import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import Synchronization
import TestKubernetes
import Testing

@testable import Operator

@Suite("Whether a tenant's pods can ask cluster DNS")
struct ClusterDNSTests {
    private static let addon = CoreDNSSpec(enabled: true, image: "coredns:1")

    private func told(_ addon: CoreDNSSpec? = addon, available: Int?, nodes: Int) -> ClusterDNSAvailable? {
        let deployment = available.map {
            Deployment(metadata: ObjectMeta(name: "coredns"), status: DeploymentStatus(replicas: 2, availableReplicas: $0))
        }
        return ClusterDNSAvailable(addon, deployment: deployment, nodes: nodes)
    }

    @Test func oneReplicaIsEnough() {
        #expect(told(available: 1, nodes: 3) == ClusterDNSAvailable(isTrue: true, reason: "Available"))
        // Of nodes nothing may be seen yet.
        #expect(told(available: 2, nodes: 0)?.isTrue == true)
    }

    @Test func withoutNodesNothingCanBeTold() {
        #expect(told(available: 0, nodes: 0)?.reason == "NoNodes" && told(available: nil, nodes: 0)?.isTrue == nil)
    }

    @Test func whatIsDownIsSaidWithWhatToDo() {
        for available in [0, nil] {
            let down = told(available: available, nodes: 2)
            #expect(down?.isTrue == false && down?.reason == "NotAvailable")
            #expect(down?.message.contains("kubectl -n kube-system describe pods -l k8s-app=kube-dns") == true)
        }
        #expect(told(CoreDNSSpec(enabled: true), available: nil, nodes: 0)?.reason == "NoImage")
    }

    @Test func ofATenantsOwnNothingIsSaid() {
        #expect(told(CoreDNSSpec(enabled: false, image: "coredns:1"), available: 2, nodes: 2) == nil)
    }
}

/// With the rights that the operator has in a tenant, on a real API server.
@Suite(.integration, .kubernetes, .timeLimit(.minutes(3)))
struct ClusterDNSInATenantTests {
    @Test func itIsFollowedWithoutBeingAskedFor() async throws {
        try await TestKubernetes.with { kubernetes in
            try await kubernetes.withClient { client in
                let cluster = HostedCluster(
                    metadata: ObjectMeta(name: "demo", namespace: "tenants", uid: "uid"),
                    spec: HostedClusterSpec(
                        version: KubernetesVersion(1, 20, 2), addons: AddonsSpec(coreDNS: CoreDNSSpec(image: "coredns:1"))))
                let settings = try ClusterSettings(cluster)
                for object in TenantObjects.access(settings) { _ = try await client.apply(object, fieldManager: "test") }
                let calls = Mutex(0)
                let session = try TenantSession(
                    cluster: ObjectKey(cluster), clusterUID: "uid",
                    access: kubernetes.configuration(user: NestboxName.operatorUser, groups: []), logger: .quiet,
                    rightsLost: { Issue.record("the operator's rights do not suffice") }, statusChanged: { calls.withLock { $0 += 1 } },
                    nodeChanged: { _ in })
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { await session.run() }
                    defer { group.cancelAll() }
                    try await follow(session, settings, client, calls: { calls.withLock { $0 } })
                }
            }
        }
    }

    private func follow(
        _ session: TenantSession, _ settings: ClusterSettings, _ client: KubernetesClient, calls: @Sendable () -> Int
    ) async throws {
        /// As a pass that the session asked for tells it.
        func becomes(_ expected: String) async throws {
            try await eventually("\(expected)") {
                var report = ClusterReport(HostedCluster(metadata: ObjectMeta(name: "demo")))
                report.tellDNS(settings, session)
                let condition = report.status.conditions?.named(ClusterDNSAvailable.condition)
                return condition.map { "\($0.status) \($0.reason)" } == expected && calls() > 0
            }
        }
        try await becomes("Unknown NoNodes")
        #expect(calls() == 1)
        _ = try await client.create(Node(metadata: ObjectMeta(name: "worker-1")))
        try await becomes("False NotAvailable")
        try await eventually("a pass for the first node") { calls() == 2 }

        let labels = ["k8s-app": "kube-dns"]
        var deployment = try await client.create(
            Deployment(
                metadata: ObjectMeta(name: CoreDNS.name, namespace: CoreDNS.namespace),
                spec: DeploymentSpec(
                    replicas: 2, selector: LabelSelector(matchLabels: labels),
                    template: PodTemplateSpec(
                        metadata: ObjectMeta(labels: labels), spec: PodSpec(containers: [Container(name: "coredns", image: "coredns:1")]))))
        )
        func report(available: Int) async throws {
            deployment.status = DeploymentStatus(replicas: 2, readyReplicas: available, availableReplicas: available)
            deployment = try await client.updateStatus(deployment)
        }
        try await report(available: 1)
        try await becomes("True Available")
        try await eventually("a pass when it was made, and one when it is up") { calls() == 4 }
        // What changes nothing of the condition is no reason for a pass.
        try await report(available: 2)
        try await report(available: 0)
        try await becomes("False NotAvailable")
        try await eventually("a pass when it is down") { calls() == 5 }
    }
}
