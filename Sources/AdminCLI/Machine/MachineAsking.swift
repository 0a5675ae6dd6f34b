import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import Synchronization

/// Asks the machines operator about a Machine, and waits for its answer.
struct MachineAsking: Sendable {
    var client: KubernetesClient
    var limit: WaitLimit

    /// Puts the request on the Machine; its id.
    @discardableResult
    func send(_ request: MachineRequest, to name: String) async throws -> String {
        _ = try await client.patch(
            Machine.self, name,
            merge: ["metadata": ["annotations": [MachineRequest.annotation: .string(try request.annotationText)]]])
        return request.id
    }

    /// Waits for what came of it.
    func answer(to id: String, of name: String, toBe what: String) async throws -> MachineAnswer {
        let heard = Mutex<MachineAnswer?>(nil)
        let waiting = Waiting<Machine>(client: client, name: name, limit: limit)
        try await waiting.wait(what) { (machine: Machine?) in
            guard let answer = try Self.answer(to: id, of: machine, name) else { return "the machines operator has not answered yet" }
            heard.withLock { $0 = answer }
            return nil
        }
        guard let answer = heard.withLock({ $0 }) else { throw CommandFailure("machine \(name) gave no answer") }
        return answer
    }

    /// Nil while there is none. Only the newest request is answered.
    private static func answer(to id: String, of machine: Machine?, _ name: String) throws -> MachineAnswer? {
        guard let machine else { throw CommandFailure("machine \(name) was deleted meanwhile") }
        if let answer = machine.status?.answer, answer.id == id { return answer }
        let asked = machine.metadata.annotations?[MachineRequest.annotation].flatMap { MachineRequest(annotation: $0) }
        guard asked?.id == id else {
            throw CommandFailure("machine \(name) was asked for something else meanwhile (\(asked?.verb.rawValue ?? "nothing")): ask again")
        }
        return nil
    }

    /// The same for what is asked again and again: waiting for it is not worth a word, and Ctrl-C simply ends it.
    func quietAnswer(to id: String, of name: String) async throws -> MachineAnswer {
        try await withThrowingTaskGroup(of: MachineAnswer?.self) { group in
            group.addTask {
                var answer: MachineAnswer?
                try await Following<Machine>(client: client, name: name).run { sighting in
                    switch sighting {
                    case .listed(let machines): answer = try Self.answer(to: id, of: machines.first, name)
                    case .changed(let machine): answer = try Self.answer(to: id, of: machine, name)
                    case .deleted: _ = try Self.answer(to: id, of: nil, name)
                    case .unreadable, .interrupted: break
                    }
                    return answer == nil
                }
                return answer
            }
            group.addTask {
                try await Task.sleep(for: limit.duration)
                return nil
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() ?? nil else {
                throw CommandFailure("machine \(name) gave no answer within \(limit)", exitCode: .timedOut)
            }
            return answer
        }
    }

    /// Asks each of them at once, then waits for one after the other.
    func ask(
        _ names: [String], toBe what: String, _ request: (String) -> MachineRequest
    ) async throws -> [(name: String, answer: MachineAnswer)] {
        var ids: [(String, String)] = []
        for name in names { ids.append((name, try await send(request(Self.newID()), to: name))) }
        var answers: [(name: String, answer: MachineAnswer)] = []
        for (name, id) in ids { answers.append((name, try await answer(to: id, of: name, toBe: what))) }
        return answers
    }

    static func newID() -> String { UUID().uuidString.lowercased() }
}

extension [(name: String, answer: MachineAnswer)] {
    /// Says what came of each, and fails when one did not succeed.
    func tell() throws {
        let wrong = filter { $0.answer.result != .succeeded }
        for (name, answer) in self where answer.result == .succeeded {
            Terminal.writeLine("\(Rendering.name(Machine.self, name)): \(Rendering.oneLine(answer.message ?? "done"))")
        }
        guard !wrong.isEmpty else { return }
        let words = wrong.map { name, answer in
            "machine \(name): " + (answer.result == .refused ? "refused: " : "") + Rendering.oneLine(answer.message ?? "it failed")
        }
        throw CommandFailure(words.joined(separator: "\n       "))
    }
}
