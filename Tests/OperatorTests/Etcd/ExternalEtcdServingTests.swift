import ControlPlane
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import TestKubernetes
import Testing

@testable import Operator

/// Two control planes' API servers, as they are rendered, on one real etcd with TLS and client certificates.
@Suite(.integration, .serialized, .timeLimit(.minutes(10))) struct ExternalEtcdServingTests {
    private static let version = TestBinaries.pinned

    private static func input(_ name: String, on etcd: TestEtcd, user: String, clusterID: String) throws -> ControlPlaneInput {
        let cluster = HostedCluster(
            metadata: ObjectMeta(name: name, namespace: "shop", uid: UUID().uuidString.lowercased()),
            spec: HostedClusterSpec(
                version: version, release: TemplateRevision.second.release,
                etcd: EtcdSpec(external: ExternalEtcdSpec(endpoints: [etcd.url(0)], secretName: "shared"))))
        #expect(cluster.validate() == [])
        let keys = try ClusterKeys.make(try ClusterSettings(cluster), now: Date())
            .renewed(try ClusterSettings(cluster), published: ["127.0.0.1"], asked: [], now: Date()).keys
        var input = try ControlPlaneInput(
            cluster: cluster, keys: keys, endpoints: PublishedEndpoints(api: ["127.0.0.1:6443"], tunnel: ["127.0.0.1:8132"]),
            etcdServiceAddresses: [], hostVersion: version)
        input.externalEtcd = ExternalEtcdInput(keys: try etcd.keys(user: user), clusterID: clusterID)
        return input
    }

    private static func configMap(_ name: String) -> ConfigMap {
        ConfigMap(metadata: ObjectMeta(name: name, namespace: "default"), data: ["whose": name])
    }

    @Test func twoShareOneAndSeeNothingOfEachOther() async throws {
        try await TestEtcd.with(members: 1) { etcd in
            try await etcd.start(0, .new([0]))
            let client = try etcd.external()
            let endpoint = etcd.url(0)
            try await eventually("etcd to lead") { (try? await client.status(at: endpoint).hasLeader) == true }
            let status = try await client.status(at: endpoint)
            #expect(status.version.hasPrefix("3.") && status.isLeader && status.size > 0 && status.errors == [])
            let gateway = EtcdClient(etcd, members: 1)
            #expect(try await gateway.status(of: 0).clusterID == status.clusterID, "both ways it is one etcd with one id")

            let one = try Self.input("one", on: etcd, user: "operator", clusterID: status.clusterID)
            let two = try Self.input("two", on: etcd, user: "operator", clusterID: status.clusterID)
            let (first, second) = (one.settings.externalEtcdPrefix, two.settings.externalEtcdPrefix)
            // Of others, right beside.
            let strangers = ["/nestbox/shop/one/", "\(first)0", String(first.dropLast()), "/registry/pods/a", "zebra", first]
            for key in strangers { try await etcd.put(0, key, "theirs") }
            try await RenderedAPIServer.with(one) { ones in
                try await RenderedAPIServer.with(two) { twos in
                    try await twos.withClient { tenant in
                        try await ones.withClient { other in
                            _ = try await other.create(Self.configMap("one"))
                            _ = try await tenant.create(Self.configMap("two"))
                            #expect(try await other.find(ConfigMap.self, "two", namespace: "default") == nil)
                            #expect(try await tenant.find(ConfigMap.self, "one", namespace: "default") == nil)
                        }
                        #expect(try await client.count(below: "\(first)/configmaps", at: endpoint) > 0)
                        #expect(try await client.count(below: first, at: endpoint) > 20)
                    }
                    #expect(try await client.count(below: second, at: endpoint) > 20)
                }
            }
            // Nobody writes any more.
            let left = try await client.count(below: second, at: endpoint)
            #expect(try await client.remove(below: first, at: endpoint) > 20)
            #expect(try await client.count(below: first, at: endpoint) == 0)
            #expect(try await client.count(below: second, at: endpoint) == left)
            #expect(try await client.remove(below: first, at: endpoint) == 0)
            let keys = try await etcd.allKeys()
            // All API servers on one etcd share that one key, to agree on who forgets what is old.
            #expect(Set(keys.filter { !$0.hasPrefix("\(second)/") }).subtracting(["compact_rev_key"]) == Set(strangers))

            // What is left serves on.
            try await RenderedAPIServer.with(two) { server in
                try await server.withClient {
                    let kept = try await $0.get(ConfigMap.self, "two", namespace: "default")
                    #expect(kept.data?["whose"] == "two")
                }
            }
        }
    }

    /// An etcd with users: each control plane's certificate opens its own share and no other's.
    @Test func usersHaveTheirOwnShareOnly() async throws {
        try await TestEtcd.with(members: 1) { etcd in
            try await etcd.start(0, .new([0]))
            let endpoint = etcd.url(0)
            let operators = try etcd.external()
            try await eventually("etcd to lead") { (try? await operators.status(at: endpoint).hasLeader) == true }
            let clusterID = try await operators.status(at: endpoint).clusterID
            let one = try Self.input("one", on: etcd, user: "one", clusterID: clusterID)
            let (first, second) = (one.settings.externalEtcdPrefix, ExternalEtcd.prefix(namespace: "shop", name: "two", uid: "2"))
            try await etcd.put(0, "\(second)/secret", "theirs")
            // Before there is a cluster, by its name alone.
            try await etcd.turnOnUsers([
                "one": ExternalEtcd.share(namespace: "shop", name: "one"), "two": ExternalEtcd.share(namespace: "shop", name: "two"),
            ])
            let gateway = await #expect(throws: EtcdError.self) { try await EtcdClient(etcd, members: 1).status(of: 0) }
            #expect(gateway != nil, "the gateway knows no users: that is why it is not asked")

            let (user, other, nobody) = (try etcd.external(user: "one"), try etcd.external(user: "two"), try etcd.external(user: "nobody"))
            #expect(try await user.status(at: endpoint).clusterID == clusterID)
            #expect(try await user.count(below: first, at: endpoint) == 0)
            #expect(try await other.count(below: second, at: endpoint) == 1)
            for (client, prefix) in [(user, second), (other, first), (nobody, first)] {
                let error = await #expect(throws: ExternalEtcdError.self) { try await client.count(below: prefix, at: endpoint) }
                #expect(error?.cause == .notPermitted("etcdserver: permission denied"), "\(String(describing: error))")
                await #expect(throws: ExternalEtcdError.self) { try await client.remove(below: prefix, at: endpoint) }
            }
            try await RenderedAPIServer.with(one) { server in
                try await server.withClient { _ = try await $0.create(Self.configMap("one")) }
                #expect(try await user.count(below: "\(first)/configmaps", at: endpoint) > 0)
            }
            #expect(try await user.remove(below: first, at: endpoint) > 20)
            #expect(try await other.count(below: second, at: endpoint) == 1)
        }
    }
}

extension TestEtcd {
    fileprivate func allKeys() async throws -> [String] {
        let body = try await call(0, "kv/range", ["key": "AA==", "range_end": "AA==", "keys_only": true]).body
        let pairs = try JSONDecoder().decode(JSONValue.self, from: Data(body))["kvs"]?.array ?? []
        return pairs.compactMap { $0["key"]?.string.flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) } }
    }
}
