import Foundation
import Logging
import NestboxAPI
import SSHClient
import TestSSHServer
import Testing

@testable import NodeJoin

/// Plans against a machine that is cut off at every step in every way: run again, they end as if nothing had happened.
///
/// Each call to the machine (a step's check, its script, its upload) is cut once. Where a whole run for each of them takes too long, one
/// run is cut at each of its calls, one after the other; `NESTBOX_TEST_LAB=1` does both.
@Suite(.enabled(if: TestMachine.isAvailable, "needs root"), .serialized, .timeLimit(.minutes(20)))
struct PlanSurvivalTests {
    private static let isThorough = ProcessInfo.processInfo.environment["NESTBOX_TEST_LAB"] == "1"
    private static let seed =
        ProcessInfo.processInfo.environment["NESTBOX_TEST_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)

    private static func parameters(_ machine: TestMachine, hasBaseline: Bool = false) throws -> JoinParameters {
        var parameters = JoinParameters.example()
        parameters.artifacts = try StandIns.artifacts(in: machine.folder + "/store")
        parameters.requirements.glibc = "2.31"
        parameters.hasBaseline = hasBaseline
        return parameters
    }

    private static func run(
        _ plan: Plan, _ connect: @escaping @Sendable () async throws -> any MachineShell,
        _ report: @escaping @Sendable (PlanReport) async throws -> Void = { _ in }
    ) async throws -> PlanOutcome {
        try await PlanRunner(
            connect: connect, logger: TestMachine.logger, pause: { _ in try await Task.sleep(for: .milliseconds(20)) }, report: report
        )
        .run(plan)
    }

    private static func succeed(_ plan: Plan, on machine: TestMachine) async throws -> [String: String] {
        let outcome = try await run(plan) { try await machine.connect() }
        guard outcome.result == .succeeded else { throw TestMachineError("\(plan.name): \(outcome.result)") }
        return outcome.outputs
    }

    /// As a reconciler does it: until it succeeds, with what was reported kept.
    private static func persist(_ plan: Plan, _ cutter: Cutter) async throws {
        for _ in 0..<20 {
            do {
                let outcome = try await run(plan, { try await cutter.connect() }) { try cutter.report($0) }
                switch outcome.result {
                case .succeeded: return
                case .failed(_, let failure) where failure.kind == .unreachable: continue
                case .failed(let step, let failure): throw TestMachineError("\(plan.name) failed at \(step): \(failure)")
                }
            } catch is Cutter.OperatorKilled {
                return
            }
        }
        throw TestMachineError("\(plan.name) does not end")
    }

    private static let kept = ["./etc/nestbox/claim", "./etc/nestbox/preflight"]

    /// In pieces the operator dies with each cut anyway.
    private static let cuts = Cut.allCases.filter { isThorough || ![.operatorDuring, .operatorAfter].contains($0) }

    @Test(arguments: cuts) func cutAtEachCall(_ cut: Cut) async throws {
        var random = Seeded(Self.seed)
        let machine = try await TestMachine()
        let image = try await machine.image()
        let bare = try await machine.state()
        let join = Plan.join(try Self.parameters(machine))
        _ = try await Self.succeed(join, on: machine)
        let joined = try await machine.state()
        #expect(joined.contains { $0.contains("/opt/nestbox/bin/kubelet infinity") }, "the kubelet runs")
        let clean = Plan.clean(.example)
        _ = try await Self.succeed(clean, on: machine)
        try await expect(machine, bare, "after an uncut clean")

        // One run, in pieces: the operator dies at each call, in turn.
        try await machine.reinstall(image)
        var pieces = 0
        for plan in [join, clean] {
            var call = 0
            while true {
                let cutter = Cutter(machine, cut, delay: .milliseconds(Int.random(in: 0...25, using: &random)))
                cutter.arm(call)
                let outcome = try? await Self.run(plan, { try await cutter.connect() }) { report in
                    if cutter.fired { throw Cutter.OperatorKilled() }
                    try cutter.report(report)
                }
                if let outcome {
                    if outcome.result == .succeeded, !cutter.fired { break }
                    if case .failed(let step, let failure) = outcome.result, failure.kind != .unreachable {
                        Issue.record("\(cut), seed \(Self.seed): \(plan.name) cut at call \(call) failed at \(step): \(failure)")
                        return
                    }
                }
                call += 1
                pieces += 1
                guard call < 300 else { throw TestMachineError("\(plan.name) does not end") }
            }
            try await expect(machine, plan.name == "Join" ? joined : bare, "\(plan.name) in pieces, \(cut), seed \(Self.seed)")
        }
        print("\(cut): cut \(pieces) times in one join and one clean")
        guard Self.isThorough else { return }

        // Each call in a run of its own, which goes on by itself where the operator lives.
        for call in 0..<300 {
            try await machine.reinstall(image)
            var fired = false
            for plan in [join, clean] {
                let cutter = Cutter(machine, cut, delay: .milliseconds(Int.random(in: 0...25, using: &random)))
                cutter.arm(call)
                try await Self.persist(plan, cutter)
                fired = fired || cutter.fired
                _ = try await Self.succeed(plan, on: machine)
                try await expect(
                    machine, plan.name == "Join" ? joined : bare, "\(plan.name) cut at call \(call), \(cut), seed \(Self.seed)")
            }
            if !fired { break }
        }
    }

    private func expect(_ machine: TestMachine, _ state: [String], _ what: Comment) async throws {
        let now = try await machine.state()
        let (new, gone) = (Set(now).subtracting(state), Set(state).subtracting(now))
        #expect(new.isEmpty && gone.isEmpty, "\(what): new \(new.sorted().prefix(20)), gone \(gone.sorted().prefix(20))")
    }

    /// As after a power cut just before they were removed.
    @Test func archivesThatAreStillThereGo() async throws {
        let machine = try await TestMachine()
        let parameters = try Self.parameters(machine)
        let join = Plan.join(parameters)
        _ = try await Self.succeed(join, on: machine)
        let joined = try await machine.state()
        let image = parameters.artifacts.images[0].archive
        try await machine.shell(
            """
            echo half > /opt/nestbox/node-tools.tar
            echo half > /opt/nestbox/images/\(image.sha256).tar
            echo half > /opt/nestbox/images/\(parameters.artifacts.pauseImage.archive.sha256).tar
            """)
        _ = try await Self.succeed(join, on: machine)
        try await expect(machine, joined, "joined once more")
    }

    // MARK: Fences

    @Test func aScriptThatHangsIsEndedAfterItsTime() async throws {
        let machine = try await TestMachine()
        // It lost its timeout(1), has processes of its own, and holds the turn for ever.
        let hanging = Script("sleep 1000 & sleep 1001").rendered(now: 0, timeout: .seconds(-9))
        try await machine.shell(
            "cat > /root/hang <<'END_OF_IT'\n\(hanging)\nEND_OF_IT\nsetsid /bin/sh /root/hang > /dev/null 2>&1 < /dev/null &")
        try await waitUntilShell(machine, "pgrep -f 'sleep 1001'")
        let plan = Plan(name: "Next", steps: [Step("Look", actions: [.script("true")])])
        let start = ContinuousClock.now
        _ = try await Self.succeed(plan, on: machine)
        #expect(ContinuousClock.now - start < .seconds(15))
        #expect(try await machine.shell("pgrep -fc 'sleep 100[01]' || true") == "0\n")
    }

    @Test func aScriptThatIsStillAtWorkIsAwaited() async throws {
        let machine = try await TestMachine()
        let slow = Script("sleep 3; echo done > /root/done").rendered(now: 0, timeout: .seconds(60))
        try await machine.shell(
            "cat > /root/slow <<'END_OF_IT'\n\(slow)\nEND_OF_IT\nsetsid /bin/sh /root/slow > /dev/null 2>&1 < /dev/null &")
        try await waitUntilShell(machine, "pgrep -f 'sleep 3'")
        let plan = Plan(name: "Next", steps: [Step("Look", actions: [.script("cat /root/done")])])
        _ = try await Self.succeed(plan, on: machine)
    }

    @Test func aJoinThatWasOvertakenByItsCleaningIsFencedOff() async throws {
        let machine = try await TestMachine()
        let join = Plan.join(try Self.parameters(machine))
        _ = try await Self.succeed(join, on: machine)
        // Cleaning has begun, and the operator that joined it has not heard of it.
        let clean = Plan.clean(.example)
        _ = try await Self.succeed(Plan(name: "Clean", fence: clean.fence, steps: Array(clean.steps.prefix(2))), on: machine)
        let late = Plan(name: "Join", fence: join.fence, steps: join.steps.filter { $0.name == "Configuration" })
        let outcome = try await Self.run(late) { try await machine.connect() }
        guard case .failed("Configuration", let failure) = outcome.result else { throw TestMachineError("\(outcome)") }
        #expect(failure.kind == .refused)
        #expect(failure.message.hasSuffix("epoch=3 cleaning"), "\(failure)")
        // And once more from its beginning.
        let again = try await Self.run(join) { try await machine.connect() }
        guard case .failed("Claim", let refusal) = again.result else { throw TestMachineError("\(again)") }
        #expect(refusal.message.contains("was not cleaned up"), "\(refusal)")
    }

    @Test func aClaimThatCameTooLateIsNobodysNextTime() async throws {
        let machine = try await TestMachine()
        var parameters = try Self.parameters(machine)
        let late = Plan.join(parameters)
        _ = try await Self.succeed(Plan(name: "Join", fence: late.fence, steps: Array(late.steps.prefix(1))), on: machine)
        parameters.owner.epoch = 4
        _ = try await Self.succeed(Plan.join(parameters), on: machine)
    }

    @Test func aSecondMachineOfTheSameServerIsRefused() async throws {
        let machine = try await TestMachine()
        var parameters = try Self.parameters(machine)
        _ = try await Self.succeed(Plan.join(parameters), on: machine)
        let before = try await machine.state()
        parameters.owner = MachineOwner(uid: "another", epoch: 1, holder: "other/pool")
        for plan in [Plan.join(parameters), Plan.clean(CleanParameters(owner: parameters.owner, clusterPodCIDR: "10.244.0.0/16"))] {
            guard case .failed(_, let failure) = try await Self.run(plan, { try await machine.connect() }).result else {
                throw TestMachineError("\(plan.name) was not refused")
            }
            #expect(failure.kind == .refused)
            #expect(failure.message.contains("claimed by acme/workers"), "\(failure)")
        }
        try await expect(machine, before, "untouched")
    }

    @Test func twoOperatorsAtOnceDoItOnce() async throws {
        let machine = try await TestMachine()
        let bare = try await machine.state()
        let join = Plan.join(try Self.parameters(machine))
        async let first = Self.run(join) { try await machine.connect() }
        async let second = Self.run(join) { try await machine.connect() }
        let results = try await [first.result, second.result]
        #expect(results == [.succeeded, .succeeded], "\(results)")
        _ = try await Self.succeed(join, on: machine)
        async let third = Self.run(.clean(.example)) { try await machine.connect() }
        async let fourth = Self.run(.clean(.example)) { try await machine.connect() }
        let cleaned = try await [third.result, fourth.result]
        #expect(cleaned == [.succeeded, .succeeded], "\(cleaned)")
        _ = try await Self.succeed(.clean(.example), on: machine)
        try await expect(machine, bare, "cleaned by two")
    }

    // MARK: Trouble on the machine

    @Test func aFullDiskIsNamed() async throws {
        let machine = try await TestMachine()
        let plan = Plan.join(try Self.parameters(machine))
        try await machine.shell("mount -t tmpfs -o size=700m tmpfs /opt")
        let bare = try await machine.state()
        // Not even begun where there is no room from the start.
        try await machine.shell("head -c 400000000 /dev/zero > /opt/filler")
        guard case .failed("Preflight", let unfit) = try await Self.run(plan, { try await machine.connect() }).result else {
            throw TestMachineError("it was taken")
        }
        #expect(unfit.message.contains("the file system /opt has 318 MiB free of the 512 MiB needed for /opt"), "\(unfit)")
        try await machine.shell("rm /opt/filler")
        try await expect(machine, bare, "after a refusal")

        // Filled by somebody while it goes on.
        let filling = "head -c 800000000 /dev/zero > /opt/filler 2> /dev/null || true"
        var steps = plan.steps
        let at = try #require(steps.firstIndex { $0.name == "NodeTools" })
        steps.insert(Step("Fill", actions: [.script(Script(filling))]), at: at)
        let outcome = try await Self.run(Plan(name: "Join", fence: plan.fence, steps: steps)) { try await machine.connect() }
        guard case .failed("NodeTools", let failure) = outcome.result else { throw TestMachineError("\(outcome.result)") }
        #expect(failure.message.contains("the file system /opt has 0 MiB free of 700 MiB: make room there"), "\(failure)")

        // Mended, it goes on where it was; or it is cleaned.
        try await machine.shell("rm /opt/filler")
        _ = try await Self.succeed(plan, on: machine)
        _ = try await Self.succeed(.clean(.example), on: machine)
        try await expect(machine, bare, "after a clean")
    }

    /// A tenant who fills the disk does not keep it from being cleaned.
    @Test func cleaningBeginsOnAFullDisk() async throws {
        let machine = try await TestMachine()
        try await machine.shell("mkdir -p /etc/nestbox; mount -t tmpfs -o size=64k tmpfs /etc/nestbox")
        let join = Plan.join(try Self.parameters(machine))
        _ = try await Self.succeed(Plan(name: "Join", fence: join.fence, steps: Array(join.steps.prefix(1))), on: machine)
        try await machine.shell("cat /dev/zero > /etc/nestbox/fill 2> /dev/null; ! echo x > /etc/nestbox/more 2> /dev/null")
        let clean = Plan.clean(.example)
        for _ in 1...2 {
            _ = try await Self.succeed(Plan(name: "Clean", fence: clean.fence, steps: Array(clean.steps.prefix(1))), on: machine)
            #expect(
                try await machine.shell("cat /etc/nestbox/claim")
                    == "owner=5e9cbbf6-3a3c-4f7e-8f7c-1d8b7f6a0001 epoch=3 cleaning\nholder=acme/workers\n")
        }
    }

    @Test func aScriptOnAFullDiskSaysWhich() async throws {
        let machine = try await TestMachine()
        try await machine.shell("mkdir -p /var/lib/containerd; mount -t tmpfs -o size=1m tmpfs /var/lib/containerd")
        let plan = Plan(
            name: "Test",
            steps: [Step("Fill", actions: [.script("head -c 2000000 /dev/zero > /var/lib/containerd/x")], retry: .once)])
        guard case .failed(_, let failure) = try await Self.run(plan, { try await machine.connect() }).result else {
            throw TestMachineError("it fitted")
        }
        #expect(failure.message.contains("No space left on device"), "\(failure)")
        #expect(failure.message.hasSuffix("the file system /var/lib/containerd has 0 MiB free of 1 MiB: make room there"), "\(failure)")
    }

    @Test func aBrokenAptIsSaidWithWhatToDo() async throws {
        let machine = try await TestMachine()
        var parameters = JoinParameters.example(storedContainerd: nil)
        parameters.artifacts = try StandIns.artifacts(in: machine.folder + "/store")
        parameters.artifacts.nodeTools = nil
        parameters.requirements.glibc = "2.31"
        try await machine.shell(
            "rm -f /etc/apt/sources.list.d/*; echo 'deb http://192.0.2.1:9/debian bookworm main' > /etc/apt/sources.list")
        var plan = Plan.join(parameters)
        for index in plan.steps.indices { plan.steps[index].retry = .once }
        guard case .failed("Packages", let failure) = try await Self.run(plan, { try await machine.connect() }).result else {
            throw TestMachineError("it went on")
        }
        #expect(failure.kind == .failed)
        #expect(failure.message.contains("its apt-get cannot update: "), "\(failure)")
        #expect(failure.message.contains("mend its package sources"), "\(failure)")
    }

    private func waitUntilShell(_ machine: TestMachine, _ test: String) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while (try? await machine.shell(test)) == nil {
            guard .now < deadline else { throw TestMachineError("not in time: \(test)") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

/// The same numbers for the same seed.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
