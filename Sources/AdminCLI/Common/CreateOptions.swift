import ArgumentParser
import Foundation
import KubernetesAPI
import KubernetesClient

/// What every `create` takes.
struct CreateOptions: ParsableArguments {
    @Flag(name: .customLong("dry-run"), help: "Print the object instead of creating it.")
    var dryRun = false

    @Option(name: [.customShort("o"), .customLong("output")], help: "With --dry-run: yaml or json.")
    var format: OutputFormat = .yaml

    @Flag(help: "Wait until it is ready, showing what it waits for.")
    var wait = false

    @Option(help: "How long --wait waits, in seconds.")
    var timeout: Int = 600
}

extension CreateOptions {
    /// Creates the object, or prints it on a dry run. True when it was created.
    func create<T: KubernetesObject>(_ object: T, with client: KubernetesClient) async throws -> Bool {
        _ = try await client.create(object)
        Terminal.write("\(T.resourceType)/\(object.name) created\n")
        return true
    }

    func show(_ object: some KubernetesObject) throws {
        Terminal.write(format == .json ? try Rendering.json(object) : try Rendering.yaml(object))
    }
}

/// Waits for what the status of an object says, polling once a second and showing each change.
struct Waiting {
    var timeout: Duration

    /// - Parameter state: nil when what is waited for has come; otherwise what is missing, in words.
    /// - Throws: `ExitCode(124)` after the timeout, as `timeout(1)` does.
    func wait(for what: String, _ state: () async throws -> String?) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        var shown = ""
        while true {
            guard let missing = try await state() else {
                if !shown.isEmpty { Terminal.endProgress() }
                return
            }
            if clock.now - start > timeout {
                Terminal.endProgress()
                Terminal.say("error: timed out waiting for \(what): \(missing)")
                throw ExitCode(124)
            }
            let line = "waiting for \(what): \(missing)"
            if line != shown {
                Terminal.progress(line)
                shown = line
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}
