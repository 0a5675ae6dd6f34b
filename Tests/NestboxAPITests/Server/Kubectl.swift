import Foundation
import Subprocess
import SystemPackage
import TestKubernetes
import Testing

/// kubectl with the rights of an admin of the tests' API server.
struct Kubectl {
    let program: String
    let options: [String]

    init(_ cluster: TestKubernetes) throws {
        program = try #require(cluster.binaries.kubectl, "there is no kubectl beside kube-apiserver")
        options = [
            "--server=\(cluster.server)", "--certificate-authority=\(cluster.directory)/ca.crt", "--token=\(TestKubernetes.token)",
            "--cache-dir=\(cluster.directory)/kubectl-cache",
        ]
    }

    /// Runs it in this checkout; its output, line by line.
    @discardableResult
    func callAsFunction(_ arguments: String...) async throws -> [String] {
        let result = try await run(
            .path(FilePath(program)), arguments: Arguments(arguments + options),
            workingDirectory: FilePath(ManifestFiles.root.path), output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw KubectlError(description: "kubectl \(arguments.joined(separator: " ")): \(result.standardError)")
        }
        return result.standardOutput.split(separator: "\n").map(String.init)
    }
}

struct KubectlError: Error, CustomStringConvertible {
    var description: String
}
