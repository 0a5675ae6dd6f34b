import ControllerRuntime
import Crypto
import Foundation
import HexDigest
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestCommands
import TestKubernetes
import Testing

@testable import Operator

/// What machines that nobody reaches are served, by a real server on a real API server.
@Suite(.integration, .kubernetes, .serialized, .timeLimit(.minutes(10))) struct FileServerTests {
    @Test func onlyWhatIsPublishedIsServedAndTheLeaderSaysWhere() async throws {
        let cluster = try TestKubernetes.current()
        try await cluster.withClient { client in
            let namespace = try await cluster.makeNamespace(client)
            let files = PublishedFiles()
            let port = try await freePort()
            let path = NSTemporaryDirectory() + "nestbox-served-" + UUID().uuidString
            defer { try? FileManager.default.removeItem(atPath: path) }
            // More than one buffer.
            let long = String(repeating: "0123456789abcdef", count: 50_000)
            try Data(long.utf8).write(to: URL(fileURLWithPath: path))
            let (script, file) = (SHA256.hexDigest(of: "echo hello"), SHA256.hexDigest(of: long))
            files.publish([script: .text("echo hello"), file: .file(path)], for: "a")
            files.publish([file: .file(path)], for: "b")
            let server = FileServer(files: files, port: port, address: "192.0.2.1", namespace: namespace, client: client, logger: .quiet)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                defer { group.cancelAll() }
                let base = "http://127.0.0.1:\(port)"
                func curl(_ path: String) async throws -> CommandRun.Outcome {
                    try await CommandRun(environment: [:]).outcome("curl", ["-fsS", "\(base)/\(path)"])
                }
                try await eventually("the server to answer") { try await curl("sha256/\(script)").output == "echo hello" }
                #expect(try await curl("sha256/\(file)").output == long)
                for other in ["", "sha256", "sha256/", "sha256/\(script)x", "sha256/..%2f..%2fetc%2fpasswd", path] {
                    #expect(try await curl(other).code == 22, "\(other)")
                }
                files.withdraw("a")
                #expect(try await curl("sha256/\(script)").code == 22)
                // Another machine still wants it.
                #expect(try await curl("sha256/\(file)").output == long)
                try await eventually("the Service to lead there") {
                    let found = try await client.find(Endpoints.self, ObjectKey(namespace: namespace, name: MachineScript.serviceName))
                    return found?.subsets?.first?.addresses?.first?.ip == "192.0.2.1" && found?.subsets?.first?.ports?.first?.port == port
                }
            }
        }
    }
}
