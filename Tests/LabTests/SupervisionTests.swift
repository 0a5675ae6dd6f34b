import Subprocess
import Testing

@testable import Lab

@Suite("Supervision")
struct SupervisionTests {
    @Test func shortLivesWaitLongerAndLongLivesStartOver() {
        var delay = RestartDelay()
        let waits = (0..<8).map { _ in delay.next(afterLife: .seconds(1)) }
        #expect(waits.first == .milliseconds(200) && waits[1] == .milliseconds(400) && waits.last == .seconds(10))
        #expect(delay.next(afterLife: .seconds(31)) == .milliseconds(200))
        #expect(delay.next(afterLife: .seconds(1)) == .milliseconds(400))
    }

    @Test func howMachinesEnd() {
        #expect(MachineRunner.Ending(.signaled(1)) == .rebooted)
        #expect(MachineRunner.Ending(.signaled(2)) == .switchedOff)
        #expect(MachineRunner.Ending(.exited(1)) == .broke("\(TerminationStatus.exited(1))"))
        #expect(MachineRunner.Ending(.signaled(9)) == .broke("\(TerminationStatus.signaled(9))"))
    }

    @Test func theBoardCountsRestartsAndWritesThemDown() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = "\(folder.path)/status.json"
        let board = StatusBoard(path: path)
        try await board.set(.component, "etcd", .waiting)
        try await board.set(.component, "etcd", .running)
        try await board.set(.component, "etcd", .restarting, lastEnd: "exited(1)")
        try await board.set(.component, "etcd", .running)
        try await board.set(.machine, "worker-1", .running)
        let report = try #require(try Files.decode(SupervisorReport.self, ifThere: path))
        #expect(report.components == [PartStatus(name: "etcd", phase: .running, restarts: 1, lastEnd: "exited(1)")])
        #expect(report.troubles == ["worker-1 is running"])
        try await board.remove(machine: "worker-1")
        #expect(try #require(try Files.decode(SupervisorReport.self, ifThere: path)).troubles == [])
    }

    @Test func statusSaysWhatIsMissing() throws {
        let spec = try LabSpec.fixture()
        #expect(Lab.status(spec, alive: false, report: nil).phase == .stopped)
        #expect(Lab.status(spec, alive: true, report: nil).phase == .degraded)
        var report = SupervisorReport(
            components: spec.components.map { PartStatus(name: $0.name, phase: .running) },
            machines: spec.machines.map { PartStatus(name: $0.name, phase: .ready) })
        #expect(Lab.status(spec, alive: true, report: report).phase == .up)
        report.machines[0].phase = .off
        #expect(Lab.status(spec, alive: true, report: report).phase == .degraded)
        report.machines.removeFirst()
        #expect(Lab.status(spec, alive: true, report: report).phase == .degraded)
    }

    @Test func aProgramIsStoppedWhenItsTaskIsCancelled() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let program = SupervisedProgram(
            name: "sleeper", program: "/bin/sh",
            arguments: ["-c", "trap 'echo stopped; exit 0' TERM; echo started; while :; do sleep 0.05; done"],
            environment: ["PATH": "/usr/bin:/bin"], log: "\(folder.path)/log", grace: .seconds(5))
        let task = Task { try await program.runOnce() }
        #expect(try await Wait.until(.seconds(10)) { try Files.text(ifThere: "\(folder.path)/log")?.contains("started") == true })
        task.cancel()
        _ = await task.result
        #expect(try Files.text("\(folder.path)/log") == "started\nstopped\n")
    }

    @Test func aLockIsHeldByOneAtATime() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = "\(folder.path)/locks/lab.lock"
        let order = Order()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await FileLock.holding(path, waiting: {}) {
                        await order.enter()
                        try await Task.sleep(for: .milliseconds(20))
                        await order.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await order.most == 1)
    }

    private actor Order {
        private var inside = 0
        private(set) var most = 0
        func enter() {
            inside += 1
            most = max(most, inside)
        }
        func leave() { inside -= 1 }
    }
}
