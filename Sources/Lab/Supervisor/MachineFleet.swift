import Logging

/// The machines that run: brings them in line with the lab's file.
actor MachineFleet {
    private let paths: LabPaths
    private let board: StatusBoard
    private let logger: Logger
    private var running: [String: (machine: LabMachine, task: Task<Void, Never>)] = [:]

    init(paths: LabPaths, board: StatusBoard, logger: Logger) {
        self.paths = paths
        self.board = board
        self.logger = logger
    }

    /// Starts the machines of the file that do not run (those that switched themselves off, too) and stops the others.
    func adopt(_ spec: LabSpec) async {
        for (name, entry) in running where !spec.booted.contains(entry.machine) {
            running[name] = nil
            entry.task.cancel()
            await entry.task.value
            await forget(name)
        }
        for machine in spec.booted where running[machine.name] == nil {
            let runner = MachineRunner(machine: machine, spec: spec, paths: paths, board: board, logger: logger)
            running[machine.name] = (
                machine,
                Task {
                    await runner.run()
                    self.ended(machine.name)
                }
            )
        }
    }

    func stop() async {
        let entries = running.values
        running = [:]
        entries.forEach { $0.task.cancel() }
        for entry in entries { await entry.task.value }
    }

    /// One that switched itself off is started again by the next `adopt`.
    private func ended(_ name: String) { running[name] = nil }

    /// Its network and, when it is gone for good, its disk.
    private func forget(_ name: String) async {
        do {
            _ = try await Command.result("ip", ["netns", "delete", name], purpose: "removing the network of \(name)")
            try await Command.output(
                "rm", ["-rf", "--one-file-system", paths.machine(name)], purpose: "removing the disk of \(name)")
            await board.remove(machine: name)
        } catch {
            logger.error("a machine's leftovers could not be removed", metadata: ["machine": "\(name)", "reason": "\(error)"])
        }
    }
}
