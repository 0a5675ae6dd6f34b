import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestCommands
import TestKubernetes
import Testing

@testable import AdminCLI

extension Commands {
    @Suite struct InstallationTests {
        /// On an API server of its own: what it removes, other tests need.
        @Test func uninstallRefusesWhileThereAreTenantsAndThenLeavesNothing() async throws {
            try await TestKubernetes.with { cluster in
                try await HostUnderTest.with(cluster) { host in
                    try await host.kubectl("apply", "-k", "\(HostUnderTest.root)/manifests/operator")
                    try await host.done("create cluster demo --version v1.20.2")
                    try await host.done("create machine m --address 192.0.2.10 --ssh-key", try await host.sshKey("ed25519"))
                    let refused = try await host.nestbox("uninstall")
                    #expect(refused.code == 1)
                    #expect(refused.error.contains("there are still tenants: cluster \(host.namespace)/demo; delete them first"))
                    _ = try await host.client.get(Namespace.self, "nestbox-system")

                    try await host.done("delete cluster demo")
                    var machine = try await host.client.get(Machine.self, "m")
                    machine.status = MachineStatus(
                        claim: MachineClaim(
                            namespace: "a", nodePool: "p", nodePoolUID: "1", hostedCluster: "c", hostedClusterUID: "2", epoch: 1))
                    machine = try await host.client.updateStatus(machine)
                    #expect(try await host.nestbox("uninstall").error.contains("machine m (claimed)"))
                    machine.status = MachineStatus(phase: .available)
                    _ = try await host.client.updateStatus(machine)

                    let done = try await host.nestbox("uninstall")
                    #expect(done.code == 0 && done.output.isEmpty && done.error.hasSuffix("Nestbox is uninstalled\n"), "\(done.error)")
                    for kind in [HostedCluster.resourceType, NodePool.resourceType, Machine.resourceType] {
                        try await eventually("\(kind) to be gone") {
                            try await host.client.find(CustomResourceDefinition.self, "\(kind)") == nil
                        }
                    }
                    #expect(try await host.client.list(ClusterRole.self).items.allSatisfy { !$0.name.hasPrefix("nestbox") })
                    #expect(try await host.client.list(ClusterRoleBinding.self).items.allSatisfy { !$0.name.hasPrefix("nestbox") })
                    #expect(try await host.client.list(RoleBinding.self).items.allSatisfy { !$0.name.hasPrefix("nestbox") })
                    #expect(try await host.client.list(PriorityClass.self).items.allSatisfy { !$0.name.hasPrefix("nestbox") })
                    // Its contents go by the namespace controller, which is not here.
                    let namespace = try await host.client.find(Namespace.self, "nestbox-system")
                    #expect(namespace?.metadata.isBeingDeleted ?? true)

                    // Again, after an uninstall that was interrupted, is no failure; and nothing of Nestbox is known there.
                    try await host.done("uninstall")
                    let unknown = try await host.nestbox("get clusters")
                    #expect(
                        unknown.code == 1 && unknown.error.contains("does not know hostedclusters.nestbox.dev: is Nestbox installed there"))
                }
            }
        }

        @Test func aTenantsClusterIsNotUninstalledFrom() async throws {
            try await HostUnderTest.with(try TestKubernetes.current()) { host in
                _ = try await host.client.create(Namespace(metadata: ObjectMeta(name: "looks-alike")))
                let refused = try await host.nestbox("uninstall --operator-namespace looks-alike")
                #expect(refused.code == 1 && refused.error.contains("is this the host's kubeconfig, or a tenant's?"), "\(refused.error)")
                #expect(try await host.client.get(Namespace.self, "looks-alike").metadata.isBeingDeleted == false)
            }
        }

        @Test func versionTellsBoth() async throws {
            try await HostUnderTest.with(try TestKubernetes.current()) { host in
                let version = try await host.done("version").split(separator: "\n").map(String.init)
                #expect(version.count == 2 && version[0] == "nestbox: \(ProductVersion.current)")
                #expect(version[1] == "host: \(try await host.client.serverVersion())" && version[1].hasPrefix("host: v1."))
                #expect(try await host.done("version --client --kubeconfig /no/such/file") == "nestbox: \(ProductVersion.current)\n")
            }
        }
    }
}
