import Foundation
import NodeJoin
import SSHClient

/// Runs scripts on this computer, below a folder of its own where a prelude sees to that.
struct LocalShell: MachineShell {
    var prelude = ""

    func run(_ text: String, timeout: Duration) async throws -> CommandResult {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-s"]
        let (input, output, error) = (Pipe(), Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = error
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data((prelude + text).utf8))
        try input.fileHandleForWriting.close()
        let stdout = output.fileHandleForReading.readDataToEndOfFile()
        let stderr = error.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return CommandResult(status: process.terminationStatus, stdout: [UInt8](stdout), stderr: [UInt8](stderr))
    }

    func upload(_ upload: Upload) async throws {}
    func close() async {}
}
