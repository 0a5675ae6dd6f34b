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

/// The passes over a cluster with an external etcd: a real etcd with TLS and client certificates, a real API server for a host.
@Suite(.integration, .kubernetes, .serialized, .timeLimit(.minutes(10))) struct ExternalEtcdReconcilerTests {
    private func withCluster(_ body: @escaping @Sendable (Host, TestEtcd) async throws -> Void) async throws {
        try await TestEtcd.with(members: 1) { etcd in
            try await etcd.start(0, .new([0]))
            let client = try etcd.external()
            try await eventually("etcd to lead") { (try? await client.status(at: etcd.url(0)).hasLeader) == true }
            try await Host.with({
                $0.etcd = EtcdSpec(external: ExternalEtcdSpec(endpoints: [etcd.url(0)], secretName: "shared"))
            }) { host in try await body(host, etcd) }
        }
    }

    @Test func whatIsWrongIsOneSentence() async throws {
        try await withCluster { host, etcd in
            var keys: [String] = []
            func say(_ reason: String, _ parts: String...) async throws {
                try await host.pass()
                let condition = try await host.condition("EtcdAvailable")
                #expect(condition?.status == "False" && condition?.reason == reason, "\(String(describing: condition))")
                for part in parts { #expect(condition?.message.contains(part) == true, "\(part): \(condition?.message ?? "")") }
                #expect(try await host.condition("Available")?.message == condition?.message)
                let status = try JSONValue(encoding: try await host.cluster().status).text
                for key in keys { #expect(!status.contains(key)) }
                #expect(!status.contains("PRIVATE KEY") && !status.contains("BEGIN"))
                #expect(try await host.client.find(Secret.self, "external-etcd", namespace: host.controlPlane) == nil)
                #expect(
                    try await host.client.find(Deployment.self, NestboxName.controlPlaneDeployment, namespace: host.controlPlane) == nil)
            }
            func put(_ secret: Secret) async throws {
                let lines = secret.data?["tls.key"]?.text?.split(separator: "\n") ?? []
                if lines.count > 2 { keys.append(String(lines[1])) }
                _ = try await host.client.apply(secret, fieldManager: "test")
            }
            let name = "\(host.namespace)/shared"
            try await host.pass()
            try await say("NoSecret", "there is no Secret \(name) (spec.etcd.external.secretName): make it")

            var lacking = try etcd.secret("shared", namespace: host.namespace)
            lacking.data?["tls.key"] = nil
            try await put(lacking)
            try await say("SecretIncomplete", "the Secret \(name)", "lacks tls.key: it needs ca.crt, tls.crt and tls.key")

            var torn = try etcd.secret("shared", namespace: host.namespace)
            torn.data?["tls.key"] = Base64(text: "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5IGF0IGFsbA==\n-----END PRIVATE KEY-----\n")
            try await put(torn)
            try await say("KeysUnusable", etcd.url(0), "the client key cannot be used", "in PEM, into that Secret")

            var mixed = try etcd.secret("shared", namespace: host.namespace)
            mixed.data?["tls.key"] = try etcd.secret("shared", namespace: host.namespace).data?["tls.key"]
            try await put(mixed)
            try await say("KeysUnusable", etcd.url(0), "it does not go with its key")

            let stranger = try CertificateAuthority(commonName: "etcd-ca", lifetime: 3600, now: Date())
            try await put(try etcd.secret("shared", namespace: host.namespace, by: stranger))
            try await say(
                "CertificateRefused",
                "the external etcd at \(etcd.url(0)), asked for its status with the keys of the Secret \(name): TLS failed",
                "it does not take tls.crt: put one into the Secret")

            try await put(try etcd.secret("shared", namespace: host.namespace, trusting: stranger))
            try await say("WrongAuthority", etcd.url(0), "CERTIFICATE_VERIFY_FAILED", "put the right ca.crt into the Secret")

            try await put(try etcd.secret("shared", namespace: host.namespace))
            await etcd.kill(0)
            try await say("NotAnswering", etcd.url(0), "Connection refused", "see that it runs there", "spec.etcd.external.endpoints")

            // One that takes connections and says nothing, and one that is no etcd.
            let mute = try MuteListener()
            try await host.changeSpec { $0.etcd?.external?.endpoints = ["https://127.0.0.1:\(mute.port)"] }
            try await say("NotAnswering", "https://127.0.0.1:\(mute.port)", "no answer within the time allowed")
            mute.close()
            let kubernetes = try TestKubernetes.current()
            try await put(try etcd.secret("shared", namespace: host.namespace, trusting: kubernetes.authority))
            try await host.changeSpec { $0.etcd?.external?.endpoints = [kubernetes.server] }
            try await say("Failing", kubernetes.server, "HTTP 40", "ask those who run it")
            try await put(try etcd.secret("shared", namespace: host.namespace))
            try await host.changeSpec { $0.etcd?.external?.endpoints = [etcd.url(0)] }

            try await etcd.start(0, .closed)
            let client = try etcd.external()
            try await eventually("etcd to lead") { (try? await client.status(at: etcd.url(0)).hasLeader) == true }
            try await host.pass(2)
            #expect(try await host.condition("EtcdAvailable")?.status == "True")
        }
    }

    @Test func itRunsOnWhatIsThere() async throws {
        try await withCluster { host, etcd in
            _ = try await host.client.create(try etcd.secret("shared", namespace: host.namespace))
            try await host.pass(3)
            let cluster = try await host.cluster()
            let prefix = ExternalEtcd.prefix(namespace: host.namespace, name: "demo", uid: cluster.metadata.uid ?? "")
            #expect(cluster.status?.etcdPrefix == prefix && cluster.status?.etcd == nil)
            #expect(try await host.condition("EtcdAvailable")?.reason == "External")
            #expect(try await host.condition("EtcdHealthy")?.status == "True")
            #expect(try await host.condition("KubeAPIServerAvailable")?.reason == "NotReady")
            #expect(try await host.client.find(StatefulSet.self, NestboxName.etcdStatefulSet, namespace: host.controlPlane) == nil)
            let before = try await host.deployment()
            let arguments = before.spec?.template?.spec?.containers?.first { $0.name == "kube-apiserver" }?.command ?? []
            #expect(arguments.contains("--etcd-prefix=\(prefix)") && arguments.contains("--etcd-servers=\(etcd.url(0))"))

            // A new client certificate reaches the pods by the file that they read it from, and rolls nobody.
            let newer = try etcd.secret("shared", namespace: host.namespace)
            _ = try await host.client.apply(newer, fieldManager: "test")
            try await host.pass()
            #expect(try await host.secret("external-etcd").data == newer.data)
            #expect(try await host.deployment().metadata.generation == before.metadata.generation)

            // One that is of no use is not taken over, and neither is a Secret that is gone: it serves on.
            let stranger = try CertificateAuthority(commonName: "etcd-ca", lifetime: 3600, now: Date())
            _ = try await host.client.apply(try etcd.secret("shared", namespace: host.namespace, by: stranger), fieldManager: "test")
            try await host.restarted().pass()
            #expect(try await host.condition("EtcdAvailable")?.status == "True")
            #expect(try await host.condition("EtcdHealthy")?.reason == "CertificateRefused")
            try await host.client.delete(Secret.self, "shared", namespace: host.namespace)
            try await host.restarted().pass()
            #expect(try await host.condition("EtcdAvailable")?.status == "True")
            let kept = try #require(try await host.condition("EtcdHealthy"))
            #expect(kept.reason == "NoSecret" && kept.message.hasSuffix("the control plane goes on with the keys that it had"))
            #expect(try await host.secret("external-etcd").data == newer.data)
            #expect(try await host.deployment().metadata.generation == before.metadata.generation)

            // A passing pass writes nothing.
            let version = try await host.cluster().metadata.resourceVersion
            try await host.pass()
            #expect(try await host.cluster().metadata.resourceVersion == version)

            // Growing waits for no member of etcd.
            try await host.changeSpec { $0.controlPlane = ControlPlaneSpec(replicas: 3) }
            try await host.pass()
            let grown = try await host.deployment()
            #expect(before.spec?.replicas == 1 && grown.spec?.replicas == 3)

            // It may not become one of Nestbox's own.
            try await host.changeSpec { $0.etcd = nil }
            try await host.pass()
            let refusal = try #require(try await host.condition("ValidConfiguration"))
            #expect(refusal.reason == "Immutable" && refusal.message.contains("spec.etcd: cannot be changed from external to managed"))
            #expect(try await host.deployment().metadata.generation == grown.metadata.generation)
        }
    }

    @Test func dataThatIsGoneIsALossAndDataThatMovedIsNot() async throws {
        try await withCluster { host, etcd in
            _ = try await host.client.create(try etcd.secret("shared", namespace: host.namespace))
            try await host.pass(3)
            let prefix = try #require(try await host.cluster().status?.etcdPrefix)
            let before = try await host.deployment()
            try await host.change { $0.etcdClusterID = "1" }
            #expect(try await host.restarted().pass() == .requeue(after: .seconds(60)))
            let lost = try #require(try await host.condition("ControlPlaneLost"))
            #expect(lost.status == "True" && lost.message == "the external etcd at \(etcd.url(0)) holds nothing below \(prefix)/ any more")
            #expect(try await host.deployment().metadata.generation == before.metadata.generation)

            // With its keys there it is this cluster's, whatever the etcd calls itself: one that was restored.
            try await etcd.put(0, "\(prefix)/a", "b")
            try await host.restarted().pass()
            #expect(try await host.condition("ControlPlaneLost")?.reason == "Restored")
            #expect(try await host.condition("EtcdAvailable")?.status == "True")
            #expect(try await host.events().contains { $0.reason == "EtcdReplaced" })
        }
    }

    @Test func deletionTakesItsOwnKeysAndNoOthers() async throws {
        try await withCluster { host, etcd in
            _ = try await host.client.create(try etcd.secret("shared", namespace: host.namespace))
            try await host.pass(3)
            let prefix = try #require(try await host.cluster().status?.etcdPrefix)
            for key in ["\(prefix)/a", "\(prefix)/a/b", "\(prefix)0", "\(prefix)x/a", "/nestbox/\(host.namespace)/demo2/a"] {
                try await etcd.put(0, key, "x")
            }
            // Deleted with its namespace: the Secret has gone first, and its copy is used.
            try await host.client.delete(Secret.self, "shared", namespace: host.namespace)
            try await host.client.delete(HostedCluster.self, "demo", namespace: host.namespace)
            try await host.pass()
            #expect(try await host.condition("Deleting")?.reason == "ClearingEtcd")
            let client = try etcd.external()
            let own = try await client.count(below: prefix, at: etcd.url(0))
            #expect(own == 2, "while an API server may run, nothing is removed")
            #expect(try await host.client.get(Namespace.self, host.controlPlane).metadata.deletionTimestamp == nil)

            try await host.collectGarbage()
            try await host.pass()
            #expect(try await client.count(below: prefix, at: etcd.url(0)) == 0)
            #expect(try await client.count(below: "/nestbox", at: etcd.url(0)) == 3)
            #expect(try await host.cluster().status?.etcdPrefix == nil)
            try await host.pass()
            #expect(try await host.condition("Deleting")?.reason == "RemovingControlPlane")
            #expect(try await host.client.get(Namespace.self, host.controlPlane).metadata.deletionTimestamp != nil)
            #expect(
                try await host.events().contains {
                    $0.reason == "EtcdDataRemoved" && $0.message?.hasPrefix("2 keys below \(prefix)/") == true
                })
        }
    }

    @Test func aDeletionDoesNotWaitForAnEtcdThatIsGone() async throws {
        try await withCluster { host, etcd in
            _ = try await host.client.create(try etcd.secret("shared", namespace: host.namespace))
            try await host.pass(3)
            await etcd.kill(0)
            try await host.client.delete(HostedCluster.self, "demo", namespace: host.namespace)
            try await host.pass()
            try await host.collectGarbage()
            try await host.pass()
            let waiting = try #require(try await host.cluster().status?.deletion)
            #expect(waiting.contains("\(etcd.url(0)), asked for") && waiting.contains("which is tried until"))
            #expect(try await host.condition("EtcdAvailable")?.reason == "NotAnswering")

            // Ten minutes later.
            try await host.change { status in
                for index in status.conditions?.indices ?? 0..<0 where status.conditions?[index].type == "EtcdAvailable" {
                    status.conditions?[index].lastTransitionTime = Timestamp.format(Date().addingTimeInterval(-601))
                }
            }
            try await host.pass(2)
            #expect(try await host.condition("Deleting")?.reason == "RemovingControlPlane")
            let left = try #require(try await host.events().first { $0.reason == "EtcdDataLeft" })
            #expect(left.message?.contains("etcdctl del --prefix /nestbox/\(host.namespace)/demo/") == true)
        }
    }
}

extension Host {
    func deployment() async throws -> Deployment {
        try await client.get(Deployment.self, NestboxName.controlPlaneDeployment, namespace: controlPlane)
    }

    func events() async throws -> [Event] { try await client.list(Event.self, namespace: namespace).items }

    /// As the host's garbage collector does when the pods of a Deployment that waits for them are gone.
    func collectGarbage() async throws {
        _ = try await client.patch(
            Deployment.self, NestboxName.controlPlaneDeployment, namespace: controlPlane, merge: ["metadata": ["finalizers": []]])
    }
}

/// A port of loopback whose connections nobody ever takes up.
private struct MuteListener {
    let port: Int
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        try #require(isBound && listen(descriptor, 16) == 0)
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    func close() { _ = Foundation.close(descriptor) }
}
