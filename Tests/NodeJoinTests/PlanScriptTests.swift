import Crypto
import Foundation
import HexDigest
import SSHClient
import Testing

@testable import NodeJoin

/// Plans as scripts that a person runs: here for real, in a folder, fetching from another by `file://`.
@Suite struct PlanScriptTests {
    final class Place {
        let folder = NSTemporaryDirectory() + "nestbox-script-" + UUID().uuidString

        init() throws {
            try FileManager.default.createDirectory(atPath: folder + "/served/sha256", withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        func serve(_ text: String, as name: String? = nil) throws -> LocalFile {
            let digest = name ?? SHA256.hexDigest(of: text)
            let path = "\(folder)/served/sha256/\(digest)"
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            return LocalFile(path: path, sha256: digest)
        }

        func content(_ name: String) -> String? { try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8) }

        func run(_ plan: Plan, secret: String? = nil) async throws -> CommandResult {
            // The lock's folder is the machine's; here any will do.
            let text = PlanScript(plan).text.replacingOccurrences(of: "/run/nestbox-plan.lock", with: "\(folder)/lock")
            let file = "\(folder)/script.sh"
            try Data(text.utf8).write(to: URL(fileURLWithPath: file))
            let input = secret.map { "echo '\($0)' |" } ?? ""
            return try await LocalShell().run("\(input) sh \(file) file://\(folder)/served", timeout: .seconds(60))
        }
    }

    static func once(_ name: String, _ body: String, check: String? = nil, undo: String? = nil, attempts: Int = 1) -> Step {
        Step(
            name, check: check.map { Script($0) }, actions: [.script(Script(body))], undo: undo.map { Script($0) },
            retry: RetryRule(attempts: attempts, delay: .seconds(1)))
    }

    @Test func stepsAreDoneInOrderAndNotAgain() async throws {
        let place = try Place()
        let tool = try place.serve("tool\n")
        let plan = Plan(
            name: "Join", fence: Script("[ ! -e \(place.folder)/taken ] || refuse 'it is taken'"),
            steps: [
                Self.once("One", "echo one >> \(place.folder)/log", check: "[ -s \(place.folder)/log ]"),
                Step(
                    "Two",
                    actions: [
                        .upload([Upload(tool, to: "\(place.folder)/bin/tool", mode: 0o755)]),
                        .script(Script("cat \(place.folder)/bin/tool")),
                    ]),
                Self.once("Three", TextFile("\(place.folder)/secret", mode: 0o600, "token: \(PlanScript.secretMark) \"$x\" `y`\nEND").put),
            ])
        #expect(plan.files == [tool])
        let first = try await place.run(plan, secret: "abcdef.0123456789abcdef")
        let said = first.text
        #expect(first.status == 0 && said.hasSuffix("Join is done\n"), "\(said) \(first.errorText)")
        #expect(place.content("bin/tool") == "tool\n")
        #expect(place.content("secret") == "token: abcdef.0123456789abcdef \"$x\" `y`\nEND\n")
        #expect(try FileManager.default.attributesOfItem(atPath: "\(place.folder)/bin/tool")[.posixPermissions] as? Int == 0o755)
        // The file is there: nothing is fetched.
        try FileManager.default.removeItem(atPath: tool.path)
        let second = try await place.run(plan, secret: "abcdef.0123456789abcdef")
        let again = second.text
        #expect(second.status == 0 && !again.contains("One") && place.content("log") == "one\n", "\(second.errorText)")
        #expect(try await place.run(plan).errorText.contains("the token is to come by standard input"))
        #expect(try await place.run(plan, secret: "$(touch \(place.folder)/x)").status == 1 && place.content("x") == nil)
        // Somebody else's now.
        try Data().write(to: URL(fileURLWithPath: "\(place.folder)/taken"))
        let fenced = try await place.run(plan, secret: "abcdef.0123456789abcdef")
        #expect(fenced.status == 1 && fenced.errorText.contains("it is taken") && fenced.errorText.contains("stopped at Two"))
    }

    @Test func whatHasAnotherHashIsNotTaken() async throws {
        let place = try Place()
        let right = SHA256.hexDigest(of: "right\n")
        _ = try place.serve("wrong\n", as: right)
        let step = Step(
            "Fetch", actions: [.upload([Upload(LocalFile(path: "/store/x", sha256: right), to: "\(place.folder)/x")])], retry: .once)
        let result = try await place.run(Plan(name: "Join", steps: [step]))
        #expect(result.status == 1 && place.content("x") == nil)
        #expect(result.errorText.contains("what arrived has SHA-256 \(SHA256.hexDigest(of: "wrong\n")), not \(right)"))
    }

    @Test func failuresAreTriedAgainAndRefusalsAreNot() async throws {
        let place = try Place()
        let plan = Plan(
            name: "Clean",
            steps: [
                Self.once(
                    "Shaky", "echo try >> \(place.folder)/tries; [ \"$(wc -l < \(place.folder)/tries)\" = 3 ]",
                    undo: "echo undo >> \(place.folder)/tries", attempts: 2),
                Self.once("No", "echo x >> \(place.folder)/no; refuse 'not this one'", attempts: 5),
            ])
        let result = try await place.run(plan)
        #expect(place.content("tries") == "try\nundo\ntry\n" && place.content("no") == "x\n")
        #expect(result.status == 1 && result.errorText.contains("not this one") && result.errorText.contains("Clean stopped at No"))
    }

    @Test func theWholeJoinAndCleaningAreWellFormed() async throws {
        var parameters = JoinParameters.example()
        parameters.bootstrapKubeconfig = "token: \(PlanScript.secretMark)"
        for plan in [Plan.joinByCommand(parameters), .clean(.example)] {
            let script = PlanScript(plan).text
            let result = try await LocalShell().run("set -n\n\(script)", timeout: .seconds(20))
            #expect(result.status == 0 && result.stderr.isEmpty, "\(result.errorText)")
            #expect(script.contains("read -r secret") == (plan.name == "Join"))
        }
        let join = Plan.joinByCommand(parameters)
        #expect(join.steps.map(\.name) == Plan.join(parameters).steps.map(\.name) + ["Certificate"])
        #expect(join.description.contains("grep -qxF '192.0.2.17' ||") || join.description.contains("grep -qxF 192.0.2.17 ||"))
        #expect(!Plan.join(parameters).description.contains("not the machine that this was made for"))
        #expect(Set(join.files.map(\.sha256)).count == 5)
    }
}
