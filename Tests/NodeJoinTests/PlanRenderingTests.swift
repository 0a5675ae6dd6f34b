import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import SSHClient
import Testing

@testable import NodeJoin

struct PlanRenderingTests {
    @Test func joinWith120() throws {
        try expectGolden(Plan.join(.example()).description, "join-1.20.txt")
    }

    @Test func joinWithACurrentVersionAndAnotherPodNetwork() throws {
        try expectGolden(Plan.join(.example(version: KubernetesVersion(1, 36, 2), bridge: false)).description, "join-1.36-no-cni.txt")
    }

    /// A machine with a containerd of its own, and a store that has no tools for the rest.
    private static var withOwnContainerd: JoinParameters {
        var parameters = JoinParameters.example(
            facts: MachineFacts(tools: ["containerd": "1.6.20", "runc": "1.1.5"], folders: ["/var/lib/containerd"]), storedContainerd: nil)
        parameters.artifacts.nodeTools = nil
        return parameters
    }

    @Test func joinWithItsOwnContainerdAndPackages() throws {
        try expectGolden(Plan.join(Self.withOwnContainerd).description, "join-own-containerd.txt")
    }

    private static var configured: JoinParameters {
        var parameters = JoinParameters.example()
        parameters.nodeConfiguration = NodeConfiguration(
            kubelet: ["maxPods": 50],
            containerd: ContainerdConfiguration(registries: [ContainerRegistry(host: "docker.io", mirrors: ["mirror.example.com"])]),
            sysctls: ["vm.max_map_count": "262144", "net.core.somaxconn": "4096"],
            files: [NodeFile(path: "/etc/example/it's.conf", mode: "0600", content: "a\nEND\n"), NodeFile(path: "/etc/x", content: "")],
            preJoinCommands: ["echo 'one'\nexit 0", "if true; then"], postJoinCommands: ["true"])
        return parameters
    }

    @Test func joinWithAConfigurationOfThePools() throws {
        try expectGolden(Plan.join(Self.configured).description, "join-configured.txt")
    }

    @Test func upgrade() throws {
        var parameters = JoinParameters.example(version: KubernetesVersion(1, 20, 3))
        parameters.bootstrapKubeconfig = ""
        try expectGolden(Plan.upgrade(parameters).description, "upgrade-1.20.txt")
    }

    @Test func upgradeWithAConfigurationOfThePools() throws {
        var parameters = Self.configured
        parameters.bootstrapKubeconfig = ""
        try expectGolden(Plan.upgrade(parameters).description, "upgrade-configured.txt")
    }

    @Test func anUpgradeNeedsNoCredentialAndLeavesTheKubeletsOwn() {
        var parameters = JoinParameters.example()
        parameters.bootstrapKubeconfig = ""
        #expect(!Plan.upgrade(parameters).description.contains("put /etc/nestbox/bootstrap.kubeconfig"))
    }

    @Test func checkWithItsOwnContainerd() throws {
        let check = CleanCheck(
            podCIDR: "10.244.0.0/16", serviceCIDR: "10.96.0.0/12", apiAddress: "172.20.0.1",
            ownFolders: ["/opt/cni", "/var/lib/containerd"],
            hasOwnContainerd: true)
        try expectGolden(check.script(toolsFolder: "/var/tmp/x"), "clean-check-own-containerd.txt")
    }

    @Test func clean() throws {
        try expectGolden(Plan.clean(.example).description, "clean.txt")
    }

    @Test func repair() throws {
        try expectGolden(Plan.repair(.example).description, "repair.txt")
    }

    @Test func check() throws {
        let check = CleanCheck(podCIDR: "10.244.0.0/16", serviceCIDR: "10.96.0.0/12", apiAddress: "172.20.0.1")
        try expectGolden(check.script(toolsFolder: "/var/tmp/x"), "clean-check.txt")
    }

    /// Whatever is in a plan, the shell must be able to read it.
    @Test func everyScriptIsWellFormed() async throws {
        var scripts = [
            CleanCheck(podCIDR: "10.244.0.0/16", serviceCIDR: "10.96.0.0/12", apiAddress: "172.20.0.1").script(toolsFolder: "/x")
        ]
        let plans = [
            Plan.join(.example()), Plan.join(Self.withOwnContainerd), Plan.join(Self.configured), Plan.upgrade(.example()),
            Plan.upgrade(Self.configured), .repair(.example), .clean(.example),
        ]
        for plan in plans {
            for step in plan.steps {
                let bodies =
                    [step.check, step.undo].compactMap { $0 }
                    + step.actions.compactMap { if case .script(let script) = $0 { script } else { nil } }
                scripts += bodies.map { body in (plan.fence.map { $0 + body } ?? body).rendered(now: 0, timeout: .seconds(60)) }
            }
        }
        for script in scripts {
            let result = try await LocalShell().run("set -n\n\(script)", timeout: .seconds(5))
            #expect(result.status == 0 && result.stderr.isEmpty, "\(result.errorText) in\n\(script)")
        }
    }

    @Test func noSecretIsAnArgument() {
        var parameters = JoinParameters.example()
        parameters.bootstrapKubeconfig = "token: secret-token"
        for step in Plan.join(parameters).steps where "\(step)".contains("secret-token") {
            #expect(step.name == "Configuration")
        }
        for step in Plan.repair(RepairParameters(owner: .example, bootstrapKubeconfig: "token: secret-token")).steps
        where "\(step)".contains("secret-token") {
            #expect(step.name == "Certificate")
        }
    }

    @Test(arguments: [
        ("plain", "plain"), ("50%", "50%%"), ("$HOME", "$$HOME"), ("two words", "\"two words\""), ("it's", "\"it's\""),
        ("say \"x\"", "\"say \\\"x\\\"\""),
    ])
    func systemdReadsArgumentsAsTheyAre(_ text: String, _ word: String) {
        #expect(SystemdUnit.word(text) == word)
    }

    @Test func aFileWithTheHeredocsEndInItIsWrittenWhole() async throws {
        let folder = NSTemporaryDirectory() + "nestbox-put-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let content = "a $b `c` \\d 'e'\nEND\nEND_\nlast line without newline"
        let file = TextFile(folder + "/a folder/file", mode: 0o640, content)
        // The lock's folder is the machine's; here any will do.
        func run(_ body: String) async throws -> CommandResult {
            let text = Script(body).rendered(now: 0, timeout: .seconds(60)).replacingOccurrences(
                of: "/run/nestbox-plan.lock", with: folder + ".lock")
            defer { try? FileManager.default.removeItem(atPath: folder + ".lock") }
            return try await LocalShell().run(text, timeout: .seconds(5))
        }
        #expect(try await run(file.same).status != 0)
        #expect(try await run(file.put).text == "@end\n")
        #expect(try String(contentsOfFile: file.path, encoding: .utf8) == content + "\n")
        #expect(try await run(file.same).text == "@end\n")
    }
}
