import Foundation
import Testing

@testable import AdminCLI

@Suite struct KubeconfigMergeTests {
    private let demo = """
        apiVersion: v1
        kind: Config
        current-context: demo
        clusters: [{name: demo, cluster: {server: "https://new:6443"}}]
        users: [{name: demo, user: {token: new}}]
        contexts: [{name: demo, context: {cluster: demo, user: demo}}]
        """

    @Test func whatIsThereStaysAsItWasWritten() throws {
        let present = """
            apiVersion: v1
            kind: Config
            current-context: host
            preferences: {colors: true}
            clusters:
            - {name: demo, cluster: {server: "https://old:6443"}}
            - {name: host, cluster: {server: "https://host:6443", a-field-of-tomorrow: 0x1F}}
            users: [{name: host, user: {password: 0777, username: 2026-08-01}}]
            contexts: [{name: host, context: {cluster: host, user: host}}]
            """
        let merged = try KubeconfigMerge.merged(present, of: "config", adding: demo)
        #expect(merged.current == "demo" && merged.before == "host")
        for kept in ["0x1F", "0777", "2026-08-01", "colors: true", "https://host:6443", "https://new:6443", "current-context: demo"] {
            #expect(merged.text.contains(kept), "\(kept)\n\(merged.text)")
        }
        #expect(!merged.text.contains("https://old:6443"))
        // Once more changes nothing.
        #expect(try KubeconfigMerge.merged(merged.text, of: "config", adding: demo).text == merged.text)
    }

    @Test func whatCannotBeReadIsNotTakenForEmpty() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("merge-\(UUID().uuidString)").path
        #expect(try KubeconfigMerge.read("\(folder)/config") == "")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(throws: CommandFailure.self) { try KubeconfigMerge.read(folder) }
        try Data("a".utf8).write(to: URL(fileURLWithPath: "\(folder)/config"))
        #expect(try KubeconfigMerge.read("\(folder)/config") == "a")
    }

    @Test(arguments: ["", "\n\n"])
    func anEmptyFileBecomesOne(present: String) throws {
        let merged = try KubeconfigMerge.merged(present, of: "config", adding: demo)
        #expect(merged.before == nil && merged.text.contains("https://new:6443"))
    }

    @Test(arguments: ["- a\n- b\n", "a: [", "a secret word"])
    func whatIsNoKubeconfigIsLeftAloneAndNotShown(present: String) {
        let error = #expect(throws: CommandFailure.self) { _ = try KubeconfigMerge.merged(present, of: "the-file", adding: demo) }
        #expect(error?.description.hasPrefix("the-file is not") == true && error?.description.contains("secret") == false)
    }
}
