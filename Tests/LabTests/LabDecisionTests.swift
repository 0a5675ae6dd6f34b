import KubernetesVersions
import Testing

@testable import Lab

@Suite("What up has to do")
struct LabDecisionTests {
    let spec: LabSpec

    init() throws { spec = try .fixture() }

    @Test func nothingRuns() {
        #expect(LabDecision.decide(running: nil, alive: false, wanted: spec) == .start)
        #expect(LabDecision.decide(running: spec, alive: false, wanted: spec) == .start)
    }

    @Test func itIsUpAlready() {
        #expect(LabDecision.decide(running: spec, alive: true, wanted: spec) == .keep)
    }

    @Test func otherMachines() {
        var wanted = spec
        wanted.machines.append(LabMachine.numbered(3, in: spec.addresses))
        #expect(LabDecision.decide(running: spec, alive: true, wanted: wanted) == .reload)
        wanted.machines = []
        #expect(LabDecision.decide(running: spec, alive: true, wanted: wanted) == .reload)
    }

    @Test func anotherHost() throws {
        var wanted = spec
        wanted.version = KubernetesVersion(1, 21, 0)
        #expect(LabDecision.decide(running: spec, alive: true, wanted: wanted) == .restart(because: "its Kubernetes version changed"))
        wanted = spec
        wanted.components[0].arguments.append("--verbose")
        wanted.rootfs = "/elsewhere"
        #expect(
            LabDecision.decide(running: spec, alive: true, wanted: wanted)
                == .restart(because: "its components and machines' image changed"))
        #expect(LabDecision.decide(running: nil, alive: true, wanted: spec) == .restart(because: "what it runs is not on record"))
    }

    @Test func theFileIsReadAsItWasWritten() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = "\(folder.path)/lab.json"
        #expect(try Files.decode(LabSpec.self, ifThere: path) == nil)
        try Files.encode(spec, to: path)
        #expect(try Files.decode(LabSpec.self, ifThere: path) == spec)
        try Files.write("{", to: path)
        #expect(throws: LabError.self) { try Files.decode(LabSpec.self, ifThere: path) }
    }
}
