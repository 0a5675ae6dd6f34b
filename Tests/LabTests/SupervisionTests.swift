import KubernetesClient
import Logging
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
        let board = StatusBoard(path: path, logger: .quiet)
        await board.set(.component, "etcd", .waiting)
        await board.set(.component, "etcd", .running)
        await board.set(.component, "etcd", .restarting, lastEnd: "exited(1)")
        await board.set(.component, "etcd", .running)
        await board.set(.machine, "worker-1", .running)
        let report = try #require(try Files.decode(SupervisorReport.self, ifThere: path))
        #expect(report.components == [PartStatus(name: "etcd", phase: .running, restarts: 1, lastEnd: "exited(1)")])
        #expect(report.troubles == ["worker-1 is running"])
        await board.remove(machine: "worker-1")
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
        #expect(try await Wait.until(.seconds(60)) { try Files.text(ifThere: "\(folder.path)/log")?.contains("started") == true })
        task.cancel()
        _ = await task.result
        #expect(try Files.text("\(folder.path)/log") == "started\nstopped\n")
    }

    /// On a full disk, say: neither the report nor, at first, the logs can be written.
    @Test(.timeLimit(.minutes(10))) func whatCannotBeWrittenDownIsRunAllTheSame() async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let paths = LabPaths(cache: folder.path, name: try LabName("demo"))
        try Files.write("", to: "\(folder.path)/file", mode: 0o644)
        let board = StatusBoard(path: "\(folder.path)/file/status.json", logger: .quiet)
        try Files.createFolder(paths.boot)
        try Files.write("echo life; exit 3\n", to: "\(paths.boot)/machine.sh", mode: 0o755)
        let access = ClientConfiguration(
            server: "http://127.0.0.1:1", certificateAuthority: nil, clientCertificate: nil, clientKey: nil, token: nil)
        try await KubernetesClient.with(access, logger: .quiet) { client in
            let component = ComponentRunner(
                spec: ComponentSpec(name: "part", program: "/bin/sh", arguments: ["-c", "echo life; exit 3"], stage: 0),
                environment: ["PATH": "/usr/bin:/bin"], log: paths.log("part"), gates: GateKeeper(api: client), board: board, logger: .quiet
            )
            let spec = try LabSpec.fixture()
            let machine = MachineRunner(
                machine: try #require(spec.machines.first), spec: spec, paths: paths, board: board, logger: .quiet)
            let logs = [paths.log("part"), paths.log(machine.machine.name)]
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await component.run() }
                group.addTask { await machine.run() }
                defer { group.cancelAll() }
                do {
                    let failed = try await Wait.until(.seconds(20)) {
                        let report = await board.report
                        return (report.components + report.machines).filter { $0.restarts > 0 }.count == 2
                    }
                    #expect(failed)
                    try Files.createFolder(paths.logs)
                    for log in logs {
                        #expect(try await Wait.until(.seconds(20)) { try Files.text(ifThere: log)?.hasPrefix("life\nlife\n") == true })
                    }
                } catch {
                    Issue.record(error)
                }
            }
        }
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
