import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import ControlPlane

@Suite struct CorefileTests {
    private func addons(_ upstreams: [String]?) throws -> [any KubernetesObject] {
        let cluster = Fixture.cluster(KubernetesVersion(1, 34, 1)) {
            $0.addons = AddonsSpec(coreDNS: CoreDNSSpec(image: "coredns:1", upstreams: upstreams))
        }
        return TenantObjects.addons(try Fixture.input(cluster))
    }

    private func lines(_ upstreams: [String]?) throws -> [String] {
        let map = try addons(upstreams).compactMap { $0 as? ConfigMap }.first { $0.name == "coredns" }
        return try #require(map?.data?["Corefile"]).split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    @Test func whoIsAskedForOtherNames() throws {
        #expect(try lines(nil).contains("forward . /etc/resolv.conf {"))
        #expect(try lines(["10.0.0.53", "10.0.0.54:5353"]).contains("forward . 10.0.0.53 10.0.0.54:5353 {"))
        let alone = try lines([])
        #expect(!alone.contains { $0.hasPrefix("forward") || $0 == "loop" })
        #expect(alone.contains("kubernetes cluster.local in-addr.arpa ip6.arpa {") && alone.contains("errors {"))
    }

    /// The Deployment is the same to the letter: CoreDNS reads the new file, and no pod is made anew.
    @Test func anotherUpstreamRollsNothing() throws {
        func deployment(_ upstreams: [String]?) throws -> Deployment? { try addons(upstreams).compactMap { $0 as? Deployment }.first }
        let before = try #require(try deployment(nil))
        #expect(try deployment([]) == before)
        #expect(try deployment(["10.0.0.53"]) == before)
    }
}
