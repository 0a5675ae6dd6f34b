import KubernetesClient
import Logging

/// Runs everything of a lab, inside its namespaces: the host's programs, its volumes, the machines.
public struct Supervisor: Sendable {
    public enum Order: Sendable {
        /// Machines may have come or gone: read the lab's file again.
        case reload
        case stop
    }

    private let paths: LabPaths
    private let logger: Logger

    /// - Parameter state: the lab's folder, `<cache>/lab/<name>`.
    public init(state: String, logger: Logger) throws {
        let parts = state.split(separator: "/")
        guard let name = parts.last, parts.dropLast().last == "lab" else {
            throw LabError("\(state) is not a lab's folder: <cache>/lab/<name>")
        }
        self.paths = LabPaths(cache: "/" + parts.dropLast(2).joined(separator: "/"), name: try LabName(String(name)))
        self.logger = logger
    }

    /// Runs until the orders say stop, or end.
    public func run(orders: some AsyncSequence<Order, Never> & Sendable) async throws {
        let spec = try await spec()
        let api = try KubernetesClient(
            HostAPI.configuration(kubeconfig: paths.kubeconfig), userAgent: HostAPI.userAgent, logger: logger)
        let board = StatusBoard(path: paths.status, logger: logger)
        let machines = MachineFleet(paths: paths, board: board, logger: logger)
        var stages: [(stage: Int, task: Task<Void, any Error>)] = []
        for component in spec.components {
            let runner = ComponentRunner(
                spec: component, environment: spec.environment, log: paths.log(component.name), gates: GateKeeper(api: api), board: board,
                logger: logger)
            stages.append((component.stage, Task { try await runner.run() }))
        }
        let volumes = LocalVolumes(api: api, node: spec.nodeMachines.isEmpty ? spec.name.node : nil, folder: paths.volumes, logger: logger)
        stages.append((3, Task { try await volumes.run() }))
        await machines.adopt(spec)

        for await order in orders {
            guard order == .reload else { break }
            do {
                await machines.adopt(try await self.spec())
            } catch {
                logger.error("the lab's file cannot be used; machines stay as they are", metadata: ["reason": "\(error)"])
            }
        }

        logger.info("stopping")
        await machines.stop()
        for stage in Set(stages.map(\.stage)).sorted(by: >) {
            let tasks = stages.filter { $0.stage == stage }.map(\.task)
            tasks.forEach { $0.cancel() }
            // How a stopped program ends is no news.
            for task in tasks { _ = await task.result }
        }
        await api.shutdown()
    }

    private func spec() async throws -> LabSpec {
        let path = paths.spec
        guard let spec = try await offPool({ try Files.decode(LabSpec.self, ifThere: path) }) else {
            throw LabError("\(path): there is no such file: start the lab with \"nestbox lab up\"")
        }
        return spec
    }
}

/// Starts one component when its gates are open, and again whenever it ends.
struct ComponentRunner: Sendable {
    let spec: ComponentSpec
    let environment: [String: String]
    let log: String
    let gates: GateKeeper
    let board: StatusBoard
    let logger: Logger

    func run() async throws {
        let program = SupervisedProgram(
            name: spec.name, program: spec.program, arguments: spec.arguments, environment: environment, log: log, grace: .seconds(5))
        var delay = RestartDelay()
        while !Task.isCancelled {
            await board.set(.component, spec.name, .waiting)
            for gate in spec.gates { try await gates.pass(gate) }
            await board.set(.component, spec.name, .running)
            logger.info("started", metadata: ["component": "\(spec.name)"])
            let start = ContinuousClock.now
            let end: String
            do {
                end = "\(try await program.runOnce())"
            } catch {
                end = "\(error)"
            }
            try Task.checkCancellation()
            let life = ContinuousClock.now - start
            logger.warning("ended", metadata: ["component": "\(spec.name)", "with": "\(end)", "after": "\(life)"])
            await board.set(.component, spec.name, .restarting, lastEnd: end)
            try await Task.sleep(for: delay.next(afterLife: life))
        }
    }
}
