import Foundation
import TestCommands
import Testing

/// `nestbox lab exec`, through the built `nestbox`; the lab is a process of the test's own.
@Suite(.enabled(if: geteuid() == 0, "entering namespaces takes root"), .timeLimit(.minutes(1)))
struct LabExecTests {
    @Test func whatIsPipedInIsRead() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "nestbox-exec-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let output = try await CommandRun(environment: ["PATH": "/usr/bin:/bin", "HOME": folder]).shell(
            """
            set -e
            sleep 50 & process=$!
            trap 'kill $process' EXIT
            mkdir -p \(folder)/lab/test
            echo "$process $(awk '{ print $22 }' /proc/$process/stat)" > \(folder)/lab/test/supervisor.process
            inside() { \(CommandRun.products)/nestbox lab exec --cache \(folder) --name test -- "$@"; }
            printf 'one\\ntwo\\n' | inside cat
            head -c 3000000 /dev/zero | inside wc -c
            inside cat < /dev/null
            """)
        #expect(output == "one\ntwo\n3000000\n")
    }
}
