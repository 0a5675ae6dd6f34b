import KubernetesAPI
import NestboxAPI
import Testing

@testable import Operator

@Suite struct JoinTicketTests {
    static let join = JoinTicket(
        machine: "worker-1", epoch: 3, expires: "2026-01-01T00:30:00Z", certificateAuthority: "CA", bootstrapKubeconfig: "token",
        kubeletConfiguration: "{}", kubernetesVersion: "v1.20.2", nodeLocalAPIAddress: "172.20.0.1", apiEndpoints: ["192.0.2.1:1"],
        tunnelEndpoints: ["192.0.2.1:2", "192.0.2.2:2"], podCIDR: "10.244.0.0/24", clusterPodCIDR: "10.244.0.0/16", networkPlugin: "bridge",
        serviceCIDR: "10.96.0.0/16", imageRegistry: "registry.k8s.io", labels: ["a": "b"], taints: [Taint(key: "k", effect: "NoExecute")],
        holder: "team/pool", revision: "0123456789", clusterVersion: "v1.20.3")

    /// As an API server gives it back.
    static func read(_ ticket: JoinTicket, without field: String? = nil) -> JoinTicket? {
        var secret = ticket.secret(namespace: "nestbox-system")
        secret.data = secret.stringData?.mapValues { Base64(text: $0) }
        secret.stringData = nil
        if let field { secret.data?[field] = nil }
        return JoinTicket(secret)
    }

    @Test func whatIsWrittenIsRead() {
        #expect(Self.read(Self.join) == Self.join)
        var upgrade = Self.join
        upgrade.purpose = .upgrade
        upgrade.bootstrapKubeconfig = ""
        upgrade.token = "abcdef.0123456789abcdef"
        upgrade.nodeConfiguration = NodeConfiguration(
            kubelet: ["maxPods": 5], sysctls: ["a.b": "1"], files: [NodeFile(path: "/x", content: "a\n\"b\"\n")], preJoinCommands: ["true"])
        #expect(Self.read(upgrade) == upgrade)
        #expect(upgrade.isUpgrade(to: "0123456789", epoch: 3))
        #expect(!upgrade.isUpgrade(to: "0123456789", epoch: 4) && !Self.join.isUpgrade(to: "0123456789", epoch: 3))
    }

    /// One that an operator of an earlier release left is for a join, and one that is half there is for nothing.
    @Test func ticketsOfOthers() {
        var plain = Self.join
        for field in ["purpose", "revision", "clusterVersion"] {
            #expect(Self.read(Self.join, without: field)?.purpose == .join, "\(field)")
        }
        plain.revision = ""
        #expect(Self.read(Self.join, without: "revision") == plain)
        #expect(Self.read(Self.join, without: "kubelet.json") == nil)
    }
}
