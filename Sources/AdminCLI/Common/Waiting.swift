import ArgumentParser
import KubernetesAPI
import KubernetesClient

/// `--wait` and how long.
struct WaitOptions: ParsableArguments {
    @Flag(help: "Wait until it is ready, showing what it waits for.")
    var wait = false

    @Option(help: ArgumentHelp("How long --wait waits: seconds, or 90s, 10m.", valueName: "time"))
    var timeout = WaitLimit(seconds: 600)
}

/// Waits for what an object says of itself, watching it and showing each change.
struct Waiting<T: AdminKind>: Sendable {
    var client: KubernetesClient
    var name: String
    var namespace: String?
    var limit: WaitLimit

    /// - Parameters:
    ///   - what: what it is to be, as `available`.
    ///   - state: what is missing, in words; nil when it has come. It is given nil for an object that is not there.
    /// - Throws: a failure with exit code 124 after the time, as of `timeout(1)`, and 130 after Ctrl-C.
    func wait(_ what: String, until state: @escaping @Sendable (T?) throws -> String?) async throws {
        let subject = "\(T.noun.title) \(name)"
        let line = LiveLine()
        let ending = try await WaitEnding.first(of: [{ try await follow(subject, what, state, line) }], within: limit, showing: line)
        let look = "nestbox get \(T.noun.singular) \(name)\(namespace.map { $0 == "default" ? "" : " -n \($0)" } ?? "") -w"
        let shown = line.text.isEmpty ? "waiting for \(subject) to be \(what)" : line.text
        switch ending {
        case .over: if !line.text.isEmpty { Terminal.say("\(subject) is \(what) after \(line.elapsed)") }
        case .timedOut:
            throw CommandFailure(
                "timed out after \(limit) \(shown); the work goes on in the cluster, see: \(look)", exitCode: .timedOut)
        case .interrupted:
            throw CommandFailure("no longer \(shown); the work goes on in the cluster, see: \(look)", exitCode: .interrupted)
        }
    }

    private func follow(
        _ subject: String, _ what: String, _ state: @Sendable (T?) throws -> String?, _ line: LiveLine
    ) async throws {
        try await Following<T>(client: client, namespace: namespace, name: name).run { sighting in
            let missing: String?
            switch sighting {
            case .listed(let objects): missing = try state(objects.first)
            case .changed(let object): missing = try state(object)
            case .deleted: missing = try state(nil)
            case .unreadable: missing = "this nestbox cannot read it; is it an older one?"
            case .interrupted(let error): missing = "the host cluster does not answer: \(error.detail ?? "\(error)")"
            }
            if let missing { line.show("waiting for \(subject) to be \(what): \(Rendering.oneLine(missing))") }
            return missing != nil
        }
    }
}

extension Waiting {
    /// As `wait`, for an object that has to stay.
    func wait(_ what: String, whileThere state: @escaping @Sendable (T) throws -> String?) async throws {
        let subject = "\(T.noun.title) \(name)"
        try await wait(what) { (object: T?) in
            guard let object else { throw CommandFailure("\(subject) was deleted while it was waited for") }
            return try state(object)
        }
    }
}
