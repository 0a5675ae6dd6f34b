import Foundation
import KubernetesAPI
import NestboxAPI
import SSHClient
import Testing

@testable import NodeJoin

/// What a pool's configuration does on a machine, in a folder that stands for its root.
final class ConfiguredNodeTests {
    private let root = NSTemporaryDirectory() + "nestbox-configured-" + UUID().uuidString

    init() throws {
        for folder in ["/etc/nestbox", "/etc/sysctl.d", "/opt/nestbox/bin", "/proc/sys/vm", "/proc/sys/net/core"] {
            try FileManager.default.createDirectory(atPath: root + folder, withIntermediateDirectories: true)
        }
        try write(["/proc/sys/vm/swappiness": "60\n", "/proc/sys/net/core/somaxconn": "128\n"])
    }
    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// - Parameter fails: whether it is meant to.
    @discardableResult
    private func run(_ script: Script, fails: Bool = false) async throws -> String {
        var text = script.body
        for folder in ["/etc/", "/opt/", "/var/", "/proc/sys/", "/usr/local/"] {
            text = text.replacingOccurrences(of: "(?<![A-Za-z0-9.])\(folder)", with: root + folder, options: .regularExpression)
        }
        text = text.replacingOccurrences(of: "cd /\n", with: "cd \(root)\n").replacingOccurrences(of: "-C / ", with: "-C \(root) ")
        text = text.replacingOccurrences(of: "${path#/}", with: "${path#\(root)/}")
        text = """
            put() { mkdir -p "$(dirname "$1")"; (umask 077; cat > "$1.new"); chmod "$2" "$1.new"; mv -f "$1.new" "$1"; }
            systemctl() { echo "$*" >> \(root)/systemctl; }
            main() {
            set -eu
            \(text)
            }
            main < /dev/null
            """
        let result = try await LocalShell().run(text, timeout: .seconds(10))
        #expect((result.status != 0) == fails, "\(result.errorText)")
        return result.errorText
    }

    private func write(_ files: [String: String]) throws {
        for (path, content) in files {
            let url = URL(fileURLWithPath: root + path)
            try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(content.utf8).write(to: url)
        }
    }

    private func read(_ path: String) -> String? { try? String(contentsOfFile: root + path, encoding: .utf8) }

    /// Every file and folder below, with what is in it, but for what Nestbox keeps for itself.
    private func state(without own: [String] = ["etc/nestbox", "systemctl"]) -> [String: String] {
        var state: [String: String] = [:]
        for case let path as String in FileManager.default.enumerator(atPath: root) ?? .init() {
            if own.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) { continue }
            state[path] = read("/" + path) ?? "a folder"
        }
        return state
    }

    private func putBack() async throws {
        for step in [CleanConfiguration.putBack, CleanFiles.restoreKernelSettings] {
            guard case .script(let script)? = step.actions.first else { continue }
            try await run(script)
        }
    }

    // MARK: Files

    @Test func filesComeChangeAndGoAndWhatWasThereComesBack() async throws {
        try write(["/etc/chrony/chrony.conf": "theirs\n", "/etc/cron.daily/tool": "theirs\n"])
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: root + "/etc/chrony/chrony.conf")
        let before = state()
        let chrony = NodeFile(path: "/etc/chrony/chrony.conf", content: "ours")
        let tool = NodeFile(path: "/etc/cron.daily/tool", mode: "0755", content: "it's $HOME\nEND\n")
        let deep = NodeFile(path: "/var/lib/a/b/c", mode: "600", content: "")
        for _ in 1...2 { try await run(ConfiguredFiles.script([chrony, tool, deep])) }
        #expect(read("/etc/chrony/chrony.conf") == "ours\n")
        #expect(read("/etc/cron.daily/tool") == "it's $HOME\nEND\n")
        #expect(read("/var/lib/a/b/c") == "")
        // Another configuration.
        for _ in 1...2 { try await run(ConfiguredFiles.script([tool])) }
        #expect(read("/etc/chrony/chrony.conf") == "theirs\n")
        #expect(!FileManager.default.fileExists(atPath: root + "/var/lib"))
        for _ in 1...2 {
            try await putBack()
            #expect(state() == before)
        }
        let mode = try FileManager.default.attributesOfItem(atPath: root + "/etc/chrony/chrony.conf")[.posixPermissions] as? Int
        #expect(mode == 0o640)
    }

    @Test func aFileThatIsALinkComesBackAsOne() async throws {
        try write(["/etc/real": "x"])
        try FileManager.default.createSymbolicLink(atPath: root + "/etc/link", withDestinationPath: "real")
        try await run(ConfiguredFiles.script([NodeFile(path: "/etc/link", content: "ours")]))
        #expect(read("/etc/link") == "ours\n" && read("/etc/real") == "x")
        try await putBack()
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: root + "/etc/link") == "real")
    }

    @Test func whatOthersPutBesideStays() async throws {
        try await run(ConfiguredFiles.script([NodeFile(path: "/var/lib/a/b", content: "ours")]))
        try write(["/var/lib/a/theirs": "x"])
        try await putBack()
        #expect(state()["var/lib/a/theirs"] == "x" && state()["var/lib/a/b"] == nil)
    }

    @Test func aFolderInTheWayIsSaid() async throws {
        try FileManager.default.createDirectory(atPath: root + "/etc/there", withIntermediateDirectories: true)
        let said = try await run(ConfiguredFiles.script([NodeFile(path: "/etc/there", content: "x")]), fails: true)
        #expect(said.contains("/etc/there is a folder there, where a file is to be written"))
    }

    @Test func aFileOfTheMachinesOwnThatCouldNotBePutBackIsLeftAlone() async throws {
        try write(["/usr/local/bin/tool": "theirs\n"])
        let said = try await run(ConfiguredFiles.script([NodeFile(path: "/usr/local/bin/tool", content: "ours")]), fails: true)
        #expect(said.contains("/usr/local/bin/tool is the machine's own file") && said.contains("name another path"))
        #expect(read("/usr/local/bin/tool") == "theirs\n")
    }

    // MARK: Kernel settings

    @Test func sysctlsAreSetAndPutBack() async throws {
        let before = state()
        for _ in 1...2 { try await run(ConfiguredSysctls.script(["vm.swappiness": "1", "net.core.somaxconn": "4096"])) }
        #expect(read("/proc/sys/vm/swappiness") == "1\n" && read("/proc/sys/net/core/somaxconn") == "4096\n")
        #expect(read(ConfiguredSysctls.file) == "net.core.somaxconn = 4096\nvm.swappiness = 1\n")
        for _ in 1...2 { try await run(ConfiguredSysctls.script(["vm.swappiness": "10"])) }
        #expect(read("/proc/sys/vm/swappiness") == "10\n" && read("/proc/sys/net/core/somaxconn") == "128\n")
        #expect(read(ConfiguredSysctls.file) == "vm.swappiness = 10\n")
        try await run(ConfiguredSysctls.script([:]))
        #expect(state() == before)
        try await run(ConfiguredSysctls.script(["vm.swappiness": "2"]))
        try await run(Script("rm -f /etc/sysctl.d/99-nestbox-pool.conf"))
        try await putBack()
        #expect(state() == before)
    }

    @Test func aSettingThatTheKernelHasNotIsSaid() async throws {
        let said = try await run(ConfiguredSysctls.script(["vm.no_such": "1"]), fails: true)
        #expect(said.contains("the kernel has no setting vm.no_such"))
    }

    // MARK: An upgrade that is taken back

    @Test func whatAFailedUpgradeChangedComesBack() async throws {
        func start(_ files: [String: String]) throws {
            try write(files.merging(["/etc/nestbox/claim": "owner=x epoch=1\n"]) { mine, _ in mine })
        }
        try start([
            "/opt/nestbox/bin/kubelet": "old kubelet", "/opt/nestbox/bin/nestbox-node": "old node", "/etc/nestbox/kubelet.yaml": "old",
            "/etc/nestbox/started/nestbox-containerd.service": "1", "/etc/nestbox/started/nestbox-node.service": "1",
            "/etc/systemd/system/nestbox-kubelet.service": "old unit", "/etc/nestbox/certs.d/a/hosts.toml": "old", "/etc/theirs": "theirs",
        ])
        let kept = NodeFile(path: "/etc/kept", content: "old")
        try await run(ConfiguredFiles.script([kept]))
        try await run(ConfiguredSysctls.script(["vm.swappiness": "1"]))
        let before = state(without: ["systemctl"])
        guard case .script(let keep)? = PreviousNode.keep.actions.first, let check = PreviousNode.keep.check else { return }
        try await run(check, fails: true)
        try await run(keep)
        try await run(check)

        // All that a swap changes.
        try await run(
            ConfiguredFiles.script([
                NodeFile(path: "/etc/kept", content: "new"), NodeFile(path: "/etc/theirs", content: "new"),
                NodeFile(path: "/etc/more/new", content: "new"),
            ]))
        try await run(ConfiguredSysctls.script(["net.core.somaxconn": "9"]))
        try write([
            "/etc/nestbox/kubelet.yaml": "new", "/etc/nestbox/started/nestbox-containerd.service": "2",
            "/etc/systemd/system/nestbox-kubelet.service": "new unit", "/etc/nestbox/certs.d/b/hosts.toml": "new",
        ])
        // As the plan does it: a new file in the place of the old.
        for program in ["kubelet", "nestbox-node"] {
            try write(["/opt/nestbox/bin/\(program).new": "new"])
            try await run(Script("mv -f /opt/nestbox/bin/\(program).new /opt/nestbox/bin/\(program)"))
        }
        for _ in 1...2 {
            try await run(PreviousNode.bringBack)
            var after = state(without: ["systemctl", "opt/nestbox/previous"])
            // It knows one setting more that was touched.
            #expect(after["etc/nestbox/sysctl.before"] == "vm/swappiness 60\nnet/core/somaxconn 128\n")
            after["etc/nestbox/sysctl.before"] = before["etc/nestbox/sysctl.before"]
            #expect(after == before)
        }
        let calls = try #require(read("/systemctl")).split(separator: "\n").map(String.init)
        #expect(calls.contains("restart nestbox-containerd.service") && calls.contains("restart nestbox-kubelet.service"))
        // What it was started with has not changed.
        #expect(!calls.contains("restart nestbox-node.service"))
    }

    // MARK: Registries

    @Test func registriesAreWrittenAsContainerdReadsThem() {
        let files = Registries.files(
            ContainerRegistry(
                host: "docker.io", mirrors: ["https://mirror.example.com", "10.0.0.5:5000", "http://plain.example.com/x"],
                certificateAuthority: "PEM"))
        #expect(files.map(\.path) == ["/etc/nestbox/certs.d/docker.io/hosts.toml", "/etc/nestbox/certs.d/docker.io/ca.crt"])
        #expect(
            files[0].content == """
                [host."https://mirror.example.com"]
                  capabilities = ["pull", "resolve"]
                  ca = "/etc/nestbox/certs.d/docker.io/ca.crt"

                [host."https://10.0.0.5:5000"]
                  capabilities = ["pull", "resolve"]
                  ca = "/etc/nestbox/certs.d/docker.io/ca.crt"

                [host."http://plain.example.com/x"]
                  capabilities = ["pull", "resolve"]

                [host."https://registry-1.docker.io"]
                  capabilities = ["pull", "resolve"]
                  ca = "/etc/nestbox/certs.d/docker.io/ca.crt"

                """)
        let plain = Registries.files(ContainerRegistry(host: "r.example.com:5000", insecure: true))
        #expect(
            plain.map(\.content) == [
                "[host.\"https://r.example.com:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n  skip_verify = true\n"
            ])
    }

    // MARK: Blame

    @Test func onlyAPoolThatConfiguresIsToBlame() {
        var parameters = JoinParameters.example()
        #expect(!parameters.mayBlameConfiguration(forFailureAt: "StartKubelet"))
        parameters.nodeConfiguration = NodeConfiguration(postJoinCommands: ["true"])
        #expect(parameters.mayBlameConfiguration(forFailureAt: "PostJoinCommand-1"))
        #expect(!parameters.mayBlameConfiguration(forFailureAt: "StartKubelet"))
        parameters.nodeConfiguration = NodeConfiguration(kubelet: ["maxPods": 1])
        #expect(parameters.mayBlameConfiguration(forFailureAt: "StartKubelet"))
        #expect(!parameters.mayBlameConfiguration(forFailureAt: "Preflight"))
    }
}
