import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import ControlPlane

/// What is rendered for an etcd that somebody else runs.
@Suite struct ExternalEtcdTests {
    private static func secret(_ change: (inout [String: Base64]) -> Void = { _ in }) -> Secret {
        var data = [
            "ca.crt": Base64(text: "certificate of their etcd's authority\n"), "tls.crt": Base64(text: "certificate of its client\n"),
            "tls.key": Base64(text: "key of its client\n"),
        ]
        change(&data)
        return Secret(metadata: ObjectMeta(name: "anything", namespace: "tenants"), data: data)
    }

    private static func input(
        _ secret: Secret = secret(), clusterID: String = "7", uid: String? = nil, _ change: (inout HostedClusterSpec) -> Void = { _ in }
    ) throws -> ControlPlaneInput {
        var cluster = Fixture.cluster(KubernetesVersion(1, 34, 1)) {
            $0.etcd = EtcdSpec(
                external: ExternalEtcdSpec(
                    endpoints: ["https://etcd-1.example.net:2379", "https://etcd-2.example.net:2379", "https://10.0.0.9:12379"],
                    secretName: "anything"))
            $0.controlPlane = ControlPlaneSpec(replicas: 3)
            change(&$0)
        }
        if let uid { cluster.metadata.uid = uid }
        var input = try Fixture.input(cluster, host: KubernetesVersion(1, 30, 0))
        input.etcdServiceAddresses = []
        input.externalEtcd = ExternalEtcdInput(keys: try #require(ExternalEtcdKeys(secret)), clusterID: clusterID)
        return input
    }

    private static func objects(_ input: ControlPlaneInput) throws -> [any KubernetesObject] {
        try ControlPlane.desiredState(of: input).flatMap(\.objects)
    }

    private static func template(_ input: ControlPlaneInput) throws -> PodTemplateSpec {
        try #require(try objects(input).lazy.compactMap { $0 as? Deployment }.first?.spec?.template)
    }

    @Test func host() throws {
        let input = try Self.input()
        let objects = try Self.objects(input)
        let shown = objects.filter {
            ["external-etcd", "control-plane"].contains($0.name) || $0 is Service || $0 is NetworkPolicy
        }.map { object -> any KubernetesObject in
            guard var secret = object as? Secret else { return object }
            secret.stringData = secret.data?.mapValues { $0.text ?? "" }
            secret.data = nil
            return secret
        }
        try Golden.check(try Golden.text(shown), "v0.2.0/external-etcd/host.json")
        #expect(!objects.contains { $0 is StatefulSet || ($0 is Service && $0.name.hasPrefix("etcd")) })
        #expect(!objects.contains { ($0 is NetworkPolicy || $0 is PodDisruptionBudget) && $0.name.hasPrefix("etcd") })
        #expect(ControlPlane.unneeded(input).contains { $0 is PodDisruptionBudget && $0.name == "etcd" })
    }

    @Test func whatRollsItsPods() throws {
        let template = try Self.template(try Self.input())
        // Its own name for the copy, whatever the Secret is called, and whatever new certificates it holds.
        let renewed = Self.secret {
            $0["tls.crt"] = Base64(text: "another certificate\n")
            $0["tls.key"] = Base64(text: "another key\n")
        }
        #expect(try Self.template(try Self.input(renewed) { $0.etcd?.external?.secretName = "another" }) == template)
        #expect(try Self.template(try Self.input(Self.secret { $0["ca.crt"] = Base64(text: "another authority\n") })) != template)
        #expect(try Self.template(try Self.input(clusterID: "8")) != template)
        #expect(try Self.template(try Self.input { $0.etcd?.external?.endpoints = ["https://10.0.0.9:12379"] }) != template)
        let copy = try #require(
            try Self.objects(try Self.input(renewed)).lazy.compactMap { $0 as? Secret }.first { $0.name == "external-etcd" })
        #expect(copy.data == renewed.data && copy.namespace == ControlPlaneNamespace.name(namespace: "tenants", cluster: "demo"))
    }

    @Test func eachHasItsOwnPrefix() throws {
        func prefix(_ namespace: String, _ name: String, _ uid: String) -> String {
            ExternalEtcd.prefix(namespace: namespace, name: name, uid: uid)
        }
        let input = try Self.input()
        #expect(input.settings.externalEtcdPrefix == "/nestbox/tenants/demo/11111111-2222-3333-4444-555555555555")
        #expect(try Self.input(uid: "2").settings.externalEtcdPrefix == "/nestbox/tenants/demo/2")
        #expect(prefix("a", "b", "1").hasPrefix(ExternalEtcd.share(namespace: "a", name: "b")))
        // Neither a cluster of another name nor one of the same, before or after, is within.
        for other in [("a", "b", "2"), ("a", "bc", "1"), ("ab", "c", "1"), ("a-b", "c", "1"), ("a", "b-c", "1")] {
            let (own, others) = (prefix("a", "b", "1") + "/", prefix(other.0, other.1, other.2) + "/")
            #expect(!own.hasPrefix(others) && !others.hasPrefix(own))
        }
        for (name, other) in [("b", "bc"), ("b", "b-c")] {
            #expect(!prefix("a", other, "1").hasPrefix(ExternalEtcd.share(namespace: "a", name: name)))
        }
    }

    @Test func nothingOfItIsRunWhileItsKeysAreNotKnown() throws {
        var input = try Self.input()
        input.externalEtcd = nil
        #expect(ControlPlane.etcd(input).isEmpty)
    }
}
