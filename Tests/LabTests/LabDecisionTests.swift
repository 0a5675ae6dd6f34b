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

    @Test func moreNodesOfTheHost() throws {
        var wanted = spec
        wanted.hostNodes = HostNode.all(1, embedded: spec.name.node, in: spec.addresses)
        #expect(LabDecision.decide(running: spec, alive: true, wanted: wanted) == .reload, "one of an older Nestbox has the embedded one")
        wanted.hostNodes = HostNode.all(3, embedded: spec.name.node, in: spec.addresses)
        #expect(LabDecision.decide(running: spec, alive: true, wanted: wanted) == .restart(because: "its nodes changed"))
        #expect(wanted.booted.map(\.name) == ["host-2", "host-3", "worker-1", "worker-2"])
        let place = wanted.place(of: wanted.booted[0], paths: LabPaths(cache: "/cache", name: spec.name))
        #expect(place["BRIDGE"] == "hosts" && place["GATEWAY"] == "10.213.0.65")
        #expect(place["ROUTES"] == "10.213.2.192/26 10.213.0.67")
        #expect(place["UNITS"] == "/cache/lab/demo/conf/host-2/units")
        #expect(wanted.place(of: wanted.machines[0], paths: LabPaths(cache: "/cache", name: spec.name))["BRIDGE"] == "machines")
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
