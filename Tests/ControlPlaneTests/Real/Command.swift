import Foundation

/// Runs a program to its end.
enum Command {
    struct Result: Sendable {
        var status: Int32
        var output: String
    }

    /// Off the cooperative pool.
    static func run(_ arguments: [String], input: String? = nil) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Swift.Result { try runToEnd(arguments, input: input) })
            }
        }
    }

    static func runBlocking(_ arguments: [String]) throws -> String { try runToEnd(arguments, input: nil).output }

    private static func runToEnd(_ arguments: [String], input: String?) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        let standardInput = input.map { _ in Pipe() }
        if let standardInput { process.standardInput = standardInput } else { process.standardInput = FileHandle.nullDevice }
        try process.run()
        if let input, let standardInput {
            try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try standardInput.fileHandleForWriting.close()
        }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Result(status: process.terminationStatus, output: String(decoding: data, as: UTF8.self))
    }
}
