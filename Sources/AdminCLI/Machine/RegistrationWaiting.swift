import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

/// Waits until the operator has looked at each of many machines, telling of each as it comes, and sums up at the end.
struct RegistrationWaiting: Sendable {
    var client: KubernetesClient
    var names: [String]
    var limit: WaitLimit

    /// What is known so far; one task at a time changes it.
    private actor Progress {
        private(set) var tally: RegistrationTally
        private let line: LiveLine

        init(_ names: [String], _ line: LiveLine) {
            tally = RegistrationTally(names)
            self.line = line
        }

        func see(_ machine: Machine) {
            guard tally.see(machine, now: .now) else { return draw() }
            if case .failed(let words) = tally.states[machine.name] { return say("\(machine.name) failed: \(words)") }
            say("\(machine.name) registered: \(machine.sizeInWords)")
        }

        func lose(_ name: String) { if tally.lose(name) { say("\(name) failed: it was deleted") } }

        func giveUp() {
            for name in tally.giveUp(now: .now) {
                if case .failed(let words) = tally.states[name] { say("\(name) failed: \(words)") }
            }
        }

        private func say(_ words: String) {
            line.clear()
            Terminal.say(Rendering.oneLine(words))
            draw()
        }

        private func draw() { if line.isInteractive { line.show(tally.line) } }
    }

    func wait() async throws {
        let line = LiveLine()
        let progress = Progress(names, line)
        let ending = try await WaitEnding.first(
            of: [{ try await follow(progress) }, { try await giveUpInTime(progress) }], within: limit, showing: line)
        try Self.sumUp(await progress.tally, ending: ending, after: line.elapsed, limit: limit)
    }

    private func giveUpInTime(_ progress: Progress) async throws {
        while await !progress.tally.isOver {
            try await Task.sleep(for: .seconds(1))
            await progress.giveUp()
        }
    }

    private func follow(_ progress: Progress) async throws {
        let wanted = Set(names)
        try await Following<Machine>(client: client).run { sighting in
            switch sighting {
            case .listed(let machines):
                for machine in machines where wanted.contains(machine.name) { await progress.see(machine) }
                for name in wanted.subtracting(machines.map(\.name)) { await progress.lose(name) }
            case .changed(let machine): await progress.see(machine)
            case .deleted(let machine): await progress.lose(machine.name)
            case .unreadable: break
            case .interrupted(let error): Terminal.say("warning: \(error); trying again")
            }
            return await !progress.tally.isOver
        }
    }

    private static func sumUp(_ tally: RegistrationTally, ending: WaitEnding, after time: String, limit: WaitLimit) throws {
        let left = tally.failed + tally.waiting
        let count = "\(tally.registered) of \(tally.states.count) machines are registered"
        guard !left.isEmpty else { return Terminal.say("\(count) after \(time)") }
        let rows = left.map { [$0.name, $0.why] }
        let table = Rendering.table([["NAME", "REASON"]] + rows, indent: 2)
        let again = "run it again once they are mended: those that are there stay as they are"
        switch ending {
        case .over: throw CommandFailure("\(count); \(left.count) are not, and \(again):\n\(table.trimmedEnd)")
        case .timedOut:
            throw CommandFailure("\(count) after \(limit); \(left.count) are not:\n\(table.trimmedEnd)", exitCode: .timedOut)
        case .interrupted:
            throw CommandFailure(
                "no longer waiting: \(count), and the operator goes on; see: nestbox get machines", exitCode: .interrupted)
        }
    }
}

extension String {
    fileprivate var trimmedEnd: String { hasSuffix("\n") ? String(dropLast()) : self }
}

extension Machine {
    /// `Debian GNU/Linux 12 (bookworm), amd64, 32 CPUs, 128 GiB; host key SHA256:...`
    var sizeInWords: String {
        let facts = status?.facts
        let labels = facts?.labels ?? [:]
        var words = [facts?.operatingSystem, facts?.architecture].compactMap { $0 }
        if let cpus = facts?.cpus { words.append("\(cpus) CPUs") }
        if let memory = labels[FactLabel.memory.rawValue] { words.append("\(memory) GiB") }
        if let gpus = facts?.gpus { words += gpus.map(\.inWords) }
        return words.isEmpty ? "nothing is known of it" : words.joined(separator: ", ")
    }
}

extension GPUFact {
    /// `4 nvidia (10de:20b5)`.
    var inWords: String { "\(count) \(vendor) (\(device))" }
}

extension DiskFact {
    /// `nvme0n1 (894 GiB, nvme)`.
    var inWords: String { "\(name) (\(sizeGiB) GiB, \(kind))" }
}
