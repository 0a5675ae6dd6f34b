import KubernetesVersions
import NestboxAPI
import SSHClient
import Testing

@testable import NodeJoin

struct ToolChoiceTests {
    struct Case: Sendable {
        var own: String?
        var stored: String?
        var version: KubernetesVersion
        var expected: ToolSource
    }

    private static let (old, current) = (KubernetesVersion(1, 20, 2), KubernetesVersion(1, 36, 2))

    @Test(arguments: [
        // Nothing of its own: ours, or its package manager's.
        Case(own: nil, stored: "1.6.20", version: old, expected: .store),
        Case(own: nil, stored: nil, version: old, expected: .packages),
        // Its own, if new enough for the kubelet, and not too new.
        Case(own: "1.6.20", stored: "1.6.20", version: old, expected: .machine),
        Case(own: "1.4.13", stored: "1.6.20", version: old, expected: .machine),
        Case(own: "1.3.7", stored: "1.6.20", version: old, expected: .store),
        Case(own: "2.0.0", stored: "1.6.20", version: old, expected: .store),
        Case(own: "1.6.0", stored: nil, version: current, expected: .machine),
        Case(own: "1.5.18", stored: "1.6.20", version: current, expected: .store),
        Case(own: "1.5.18", stored: nil, version: current, expected: .packages),
        Case(own: "2.1.4", stored: "1.6.20", version: current, expected: .machine),
        // The store's is held to the same.
        Case(own: "1.5.18", stored: "1.4.13", version: current, expected: .packages),
        // What says no version is not trusted.
        Case(own: "unknown", stored: "1.6.20", version: old, expected: .store),
    ])
    func containerd(_ given: Case) {
        let facts = MachineFacts(tools: given.own.map { ["containerd": $0] })
        let choice = ToolChoice(facts: facts, storedContainerd: given.stored.flatMap { ProgramVersion($0) }, version: given.version)
        #expect(choice.sources[.containerd] == given.expected, "\(given)")
        #expect(choice.hasOwnContainerd == (given.own != nil))
        #expect(choice.problem == nil)
    }

    @Test func eachToolIsChosenForItself() {
        let facts = MachineFacts(tools: ["runc": "1.0.0", "cni": "0.3.1", "iptables": "1.8.9", "ethtool": "6.1"])
        let choice = ToolChoice(facts: facts, storedContainerd: ProgramVersion(1, 6, 20), version: Self.old)
        #expect(choice.words == "containerd=store runc=machine cni=store iptables=machine conntrack=store socat=store ethtool=machine")
        let old = ToolChoice(facts: MachineFacts(tools: ["runc": "0.9", "cni": "1.0.0"]), storedContainerd: nil, version: Self.old)
        #expect(old.sources[.runc] == .packages)
        #expect(old.sources[.cni] == .machine)
    }

    @Test func aMachineThatRunsContainersIsRefused() async throws {
        let facts = MachineFacts(tools: ["containerd": "1.6.20"], containers: "3 in moby")
        let choice = ToolChoice(facts: facts, storedContainerd: ProgramVersion(1, 6, 20), version: Self.old)
        #expect(try #require(choice.problem).hasPrefix("containers of its own run on it (3 in moby)"))
        let preflight = PreflightStep.script(.example(facts: facts)).body
        #expect(preflight.contains("problem 'containers of its own run on it (3 in moby)"))
    }

    @Test func onlyWhatIsNeededIsPushed() {
        func steps(_ facts: MachineFacts, stored: ProgramVersion?) -> [String] {
            var parameters = JoinParameters.example(facts: facts, storedContainerd: stored)
            if stored == nil { parameters.artifacts.nodeTools = nil }
            let names = Plan.join(parameters).steps.map(\.name)
            return Array(names.drop { $0 != "KeepFolders" }.dropFirst().prefix { $0 != "Programs" })
        }
        let everything = MachineFacts(
            tools: Dictionary(uniqueKeysWithValues: NodeTool.allCases.map { ($0.rawValue, $0 == .runc ? "1.1.5" : "1.6.20") }))
        #expect(steps(MachineFacts(), stored: ProgramVersion(1, 6, 20)) == ["NodeTools", "Tools"])
        #expect(steps(everything, stored: ProgramVersion(1, 6, 20)) == ["Tools"])
        #expect(steps(MachineFacts(), stored: nil) == ["Packages", "Tools"])
    }
}

struct MachineFactsTests {
    @Test func whatAMachineSaysIsRead() {
        let facts = MachineFacts(
            answer: """
                architecture=x86_64
                os=Debian GNU/Linux 12 (bookworm)
                machine-id=0123
                memory-kib=2097152
                cgroups=2
                tool.containerd=1.6.20
                tool.socat=
                tool.unheard-of=1.0
                folder./opt/cni=yes
                folder./etc/shadow=yes
                containers=2 in moby, 1 in k8s.io
                end=end
                """)
        #expect(
            facts
                == MachineFacts(
                    architecture: "amd64", operatingSystem: "Debian GNU/Linux 12 (bookworm)", machineID: "0123", memoryMiB: 2048,
                    cgroupVersion: 2, tools: ["containerd": "1.6.20"], folders: ["/opt/cni"], containers: "2 in moby, 1 in k8s.io"))
        #expect(MachineFacts(answer: "containers=\nend=end").containers == nil)
    }

    @Test func theScriptRunsToItsEnd() async throws {
        let result = try await LocalShell().run("set -u\n" + MachineFacts.script, timeout: .seconds(30))
        #expect(result.text.hasSuffix("end=end\n"), "\(result.errorText)")
        #expect(MachineFacts(answer: result.text).cpus ?? 0 > 0)
    }
}
