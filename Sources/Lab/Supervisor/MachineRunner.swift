import Logging
import Subprocess

/// Boots one machine, and again when it reboots or breaks.
struct MachineRunner: Sendable {
    let machine: LabMachine
    let spec: LabSpec
    let paths: LabPaths
    let board: StatusBoard
    let logger: Logger

    /// Signals with which the kernel ends process 1 of a process namespace that calls reboot(2).
    enum Ending: Equatable {
        case rebooted
        case switchedOff
        case broke(String)

        init(_ status: TerminationStatus) {
            switch status {
            case .signaled(1): self = .rebooted
            case .signaled(2): self = .switchedOff
            default: self = .broke("\(status)")
            }
        }
    }

    func run() async {
        var delay = RestartDelay()
        while !Task.isCancelled {
            let start = ContinuousClock.now
            let ending: Ending
            do {
                ending = try await life()
            } catch {
                ending = .broke("\(error)")
            }
            if Task.isCancelled { return }
            logger.info("machine ended", metadata: ["machine": "\(machine.name)", "ending": "\(ending)"])
            switch ending {
            case .rebooted:
                await board.set(.machine, machine.name, .restarting, lastEnd: "rebooted")
            case .switchedOff:
                await board.set(.machine, machine.name, .off, lastEnd: "switched off")
                return
            case .broke(let end):
                await board.set(.machine, machine.name, .restarting, lastEnd: end)
                do {
                    try await Task.sleep(for: delay.next(afterLife: ContinuousClock.now - start))
                } catch {
                    return
                }
            }
        }
    }

    /// From power on to power off.
    private func life() async throws -> Ending {
        await board.set(.machine, machine.name, .running)
        return try await withThrowingTaskGroup(of: Ending?.self) { group in
            group.addTask { Ending(try await program.runOnce()) }
            group.addTask {
                try await untilReady()
                await board.set(.machine, machine.name, .ready)
                return nil
            }
            defer { group.cancelAll() }
            while let ended = try await group.next() {
                if let ended { return ended }
            }
            return .broke("ended unseen")
        }
    }

    private var program: SupervisedProgram {
        var environment = spec.environment
        environment["BOOT"] = paths.boot
        environment["NAME"] = machine.name
        environment["ADDRESS"] = machine.address
        environment["ACCOUNT"] = machine.user
        environment.merge(spec.place(of: machine, paths: paths)) { $1 }
        environment["MACHINE"] = paths.machine(machine.name)
        environment["ROOTFS"] = spec.rootfs
        environment["AUTHORIZED_KEY"] = paths.authorizedKey
        // Its root is on disk and its services are its own: switched off like this, it comes back as after a power cut.
        return SupervisedProgram(
            name: machine.name, program: "/bin/bash", arguments: ["\(paths.boot)/machine.sh"], environment: environment,
            log: paths.log(machine.name), grace: .zero)
    }

    /// Until it answers SSH and lets users other than root in.
    private func untilReady() async throws {
        let (folder, address, port) = (paths.machine(machine.name), machine.address, machine.port)
        while true {
            // One that cannot be looked at is not ready; that is no reason to stop it.
            let ready = try? await offPool {
                guard let process = try Files.text(ifThere: "\(folder)/process")?.split(whereSeparator: \.isNewline).first else {
                    return false
                }
                guard Probe.banner(of: address, port: port)?.hasPrefix("SSH-") == true else { return false }
                return !Files.exists("/proc/\(process)/root/run/nologin")
            }
            if ready == true { return }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
