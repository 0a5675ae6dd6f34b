import ArgumentParser
import Lab

/// `nestbox lab exec`: a look inside.
struct LabExec: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Run a program in the namespaces of a lab's host, or of one of its machines.",
        discussion: """
            It reads what this command is given on standard input; what it wrote is shown when it has ended.

            Examples:
              nestbox lab exec --machine worker-1 -- systemctl --failed
              nestbox lab exec --machine worker-1 -- sh -s < script.sh
            """)

    @OptionGroup var options: LabOptions

    @Option(help: "A machine (default: the host).")
    var machine: String?

    @Argument(parsing: .captureForPassthrough, help: "The program and its arguments.")
    var command: [String]

    func run() async throws {
        let command = self.command.first == "--" ? Array(self.command.dropFirst()) : self.command
        guard let program = command.first else { throw ValidationError("which program?") }
        let result = try await options.lab().run(
            in: machine.map { .machine($0) } ?? .host, program, Array(command.dropFirst()), readsInput: true)
        Terminal.write(result.output)
        if !result.error.isEmpty { Terminal.say(String(result.error.dropLast(result.error.hasSuffix("\n") ? 1 : 0))) }
        if !result.succeeded { throw ExitCode(1) }
    }
}
