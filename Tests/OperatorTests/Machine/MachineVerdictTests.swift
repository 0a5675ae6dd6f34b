import Foundation
import KubernetesAPI
import NestboxAPI
import NodeJoin
import Testing

@testable import Operator

@Suite("What is found of a machine that is looked at")
struct MachineVerdictTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)
    private static let services = [
        "nestbox-kubelet.service": "active", "nestbox-containerd.service": "active", "nestbox-node.service": "active",
    ]

    private static func node(_ phase: MachinePhase = .ready, isReady: Bool = true) -> Machine {
        var machine = RequestDecisionTests.machine(phase)
        machine.status?.conditions = [PoolDecisionTests.condition("NodeReady", isReady, message: isReady ? "" : "its Node is gone")]
        return machine
    }

    private func findings(_ machine: Machine, _ look: MachineLook) -> [String: MachineFinding] {
        var verdict = MachineVerdict()
        verdict.judge(look, of: machine, now: Self.now)
        return Dictionary(uniqueKeysWithValues: verdict.findings.map { ($0.name, $0) })
    }

    @Test func aSoundNodeIsSound() {
        let look = MachineLook(
            now: 1_800_000_005, claim: "owner=u epoch=3", usedPercent: ["/": 40, "/var/lib/kubelet": 85], units: Self.services)
        var verdict = MachineVerdict()
        verdict.judge(look, of: Self.node(), now: Self.now)
        #expect(verdict.isSound && verdict.message == "it is sound", "\(verdict)")
        #expect(verdict.findings.map(\.name) == ["Clock", "Disk", "Claim", "Services", "Node"])
    }

    @Test(arguments: [(30, true), (31, false), (-30, true), (-3600, false)])
    func theClock(offset: Int, passed: Bool) {
        let finding = findings(Self.node(), MachineLook(now: 1_800_000_000 + offset))["Clock"]
        #expect(finding?.passed == passed)
        #expect(finding?.message == "\(abs(offset)) s \(offset > 0 ? "ahead" : "behind")")
    }

    @Test func aFullDiskIsNamed() {
        let finding = findings(Self.node(), MachineLook(usedPercent: ["/": 12, "/var/lib/containerd": 97]))["Disk"]
        #expect(finding?.passed == false && finding?.message == "97% of /var/lib/containerd used")
    }

    @Test(
        arguments: [
            (MachinePhase.ready, "owner=u epoch=3", true), (.ready, nil, false), (.ready, "owner=u epoch=2", false),
            (.ready, "owner=other epoch=3", false), (.claimed, nil, true), (.quarantined, nil, true),
            (.quarantined, "owner=x epoch=1", false),
            (.available, nil, true), (.available, "owner=u epoch=3", false),
        ] as [(MachinePhase, String?, Bool)])
    func theClaim(phase: MachinePhase, said: String?, passed: Bool) {
        #expect(findings(Self.node(phase), MachineLook(claim: said))["Claim"]?.passed == passed)
    }

    @Test func deadServicesAndALostNodeAreNamed() {
        var units = Self.services
        units["nestbox-kubelet.service"] = "failed"
        let found = findings(Self.node(isReady: false), MachineLook(units: units))
        #expect(found["Services"]?.message == "nestbox-kubelet.service is failed")
        #expect(found["Node"]?.passed == false && found["Node"]?.message == "its Node is gone")
        #expect(findings(Self.node(), MachineLook())["Services"]?.message == "there is no kubelet")
        // A machine's own containerd may serve in place of ours.
        units = Self.services
        units["nestbox-containerd.service"] = nil
        #expect(findings(Self.node(), MachineLook(units: units))["Services"]?.passed == true)
    }

    @Test func factsThatChangedAreNotedAndAnotherInstallationIsNotSound() {
        let known = MachineFacts(operatingSystem: "Debian 12", kernel: "6.1.0-1", machineID: "1", cpus: 32, memoryMiB: 1024)
        func judge(_ change: (inout MachineFacts) -> Void) -> MachineFinding? {
            var (facts, verdict) = (known, MachineVerdict())
            change(&facts)
            verdict.judge(facts, asKnown: known)
            return verdict.findings.first
        }
        #expect(judge { _ in }?.message == "as known: 32 CPUs, 1024 MiB, 0 disks")
        let smaller = judge { $0.cpus = 16 }
        #expect(smaller?.passed == true && smaller?.message == "changed, and noted: CPUs 16 (was 32)")
        let other = judge { $0.machineID = "2" }
        #expect(other?.passed == false && other?.message.contains("another installation") == true)
    }

    @Test func whatIsLeftIsNamed() {
        var verdict = MachineVerdict()
        verdict.judge(leftovers: ["file /etc/nestbox", "process 12 (kubelet)"])
        #expect(!verdict.isSound && verdict.message == "Clean: there is: file /etc/nestbox; process 12 (kubelet)")
    }

    /// What a dirty machine has is not its own: it would never be cleaned of it.
    @Test func foldersAreRefreshedOnABareMachineOnly() {
        let known = MachineFacts(kubeletVersion: "v1.20.2", tools: ["runc": "1.1"], folders: ["/opt/cni"])
        let seen = MachineFacts(cpus: 2, tools: ["containerd": "1.6"], folders: ["/etc/cni", "/etc/nestbox"], containers: "1 running")
        let kept = known.refreshed(by: seen, isBare: false)
        #expect(kept == MachineFacts(cpus: 2, kubeletVersion: "v1.20.2", tools: ["runc": "1.1"], folders: ["/opt/cni"]))
        #expect(known.refreshed(by: seen, isBare: true).folders == ["/etc/cni", "/etc/nestbox"])
    }
}
