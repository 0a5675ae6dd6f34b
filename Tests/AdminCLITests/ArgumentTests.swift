import ArgumentParser
import KubernetesAPI
import KubernetesClient
import Testing

@testable import AdminCLI

@Suite struct ArgumentTests {
    @Test func labelsAreKeysAndValues() {
        #expect(KeyValue(argument: "gpu=yes") == KeyValue(argument: "gpu=yes"))
        #expect(KeyValue(argument: "a=b=c")?.value == "b=c")
        #expect(KeyValue(argument: "a=")?.value == "")
        #expect(KeyValue(argument: "=b") == nil && KeyValue(argument: "a") == nil && KeyValue(argument: "") == nil)
        let given = ["a=1", "b=2", "a=3"].compactMap(KeyValue.init(argument:))
        #expect(given.dictionary == ["a": "3", "b": "2"])
        #expect([KeyValue]().dictionary == nil)
    }

    @Test(arguments: [("600", 600), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("0", 0)])
    func limitsAreSecondsOrDurations(text: String, seconds: Int) {
        #expect(WaitLimit(argument: text)?.duration == .seconds(seconds))
    }

    @Test(arguments: ["", "soon", "-1", "10 m", "-5m"])
    func whatIsNoTimeIsRefused(text: String) {
        #expect(WaitLimit(argument: text) == nil)
    }

    @Test(arguments: [
        ("nestbox get clusters -n a", "a"), ("nestbox get clusters --namespace=a", "a"), ("nestbox get clusters --namespace = a", "a"),
        ("nestbox -n a get -n b", "b"), ("nestbox get clusters -n", nil), ("nestbox get clusters", nil),
    ])
    func optionsOfAnUnfinishedLineAreFound(line: String, value: String?) {
        #expect(CommandLineWords(line.split(separator: " ").map(String.init)).value(of: ["--namespace", "-n"]) == value)
    }

    /// What a person may get wrong, and the words that say so.
    @Test(arguments: [
        ("create cluster demo --version 1.20", "'1.20' is invalid for '--version"),
        ("create nodepool p", "Missing expected argument '--cluster"),
        ("create nodepool p --cluster c --label x", "'x' is invalid for '--label"),
        ("create machine m --address 192.0.2.1", "give one of --ssh-key FILE and --ssh-key-secret NAME"),
        ("create machine m --address 192.0.2.1 --ssh-key a --ssh-key-secret b", "give one of"),
        ("create machine m --address 192.0.2.1 --ssh-key a --reuse Any", "'SameTenant', 'AnyTenant' or 'Reimage'"),
        ("scale nodepool p --replicas -1", "0 or more"), ("scale cluster c --replicas 2", "1 or 3"), ("scale nodepool p", "--replicas"),
        ("get clusters -o text", "'table', 'wide', 'json', 'yaml' or 'name'"), ("get clusters a -l b=c", "names or a selector"),
        ("get clusters a -A", "--all-namespaces"), ("get clusters a b -w", "one name"), ("delete cluster", "names"),
        ("delete cluster a --timeout soon", "'soon' is invalid"), ("kubeconfig a -o f --merge", "not both"), ("launch cluster a", "launch"),
    ])
    func wrongUsageIsSaidAndExitsWith64(line: String, said: String) async {
        let error = await #expect(throws: (any Error).self) {
            _ = try await NestboxCommand.asyncParseAsRoot(line.split(separator: " ").map(String.init))
        }
        guard let error else { return }
        #expect(NestboxCommand.exitCode(for: error) == .validationFailure)
        #expect(NestboxCommand.fullMessage(for: error).contains(said))
    }

    @Test(arguments: [
        "get cluster", "get clusters", "get hc", "get nodepool", "get np", "get machines -w", "describe clusters a b",
        "delete np a --no-wait",
        "create np a --cluster b", "describe mach a", "scale np a --replicas 0 --wait --timeout 5m", "create cluster a --dry-run -o yaml",
        "create machine a --address b --ssh-key c --label d=e --label f=g --allow h", "version --client", "uninstall", "completion zsh",
    ])
    func kubectlsHabitsAreTaken(line: String) async throws {
        _ = try await NestboxCommand.asyncParseAsRoot(line.split(separator: " ").map(String.init))
    }

    /// Every command has examples in its help.
    @Test func everyCommandShowsAnExample() {
        func check(_ command: any ParsableCommand.Type, _ path: String) {
            let configuration = command.configuration
            guard configuration.shouldDisplay else { return }
            #expect(configuration.discussion.contains("Example"), "\(path)")
            #expect(!configuration.abstract.isEmpty, "\(path)")
            for child in configuration.subcommands { check(child, "\(path) \(child.configuration.commandName ?? "\(child)")") }
        }
        check(NestboxCommand.self, "nestbox")
        let help = NestboxCommand.helpMessage()
        for code in ["0 done", "1 failed", "64 wrong usage", "124", "130"] { #expect(help.contains(code)) }
    }
}

@Suite struct CommandFailureTests {
    private func text(_ error: KubernetesError) -> String? { CommandFailure.presentation(of: error)?.text }

    @Test func theServersWordsAreKubectls() {
        var error = KubernetesError(code: .refused, verb: "get", object: "hostedclusters.nestbox.dev default/x", httpStatus: 404)
        error.status = Status(
            message: "hostedclusters.nestbox.dev \"x\" not found", reason: "NotFound", code: 404, details: StatusDetails(name: "x"))
        #expect(text(error) == "Error from server (NotFound): hostedclusters.nestbox.dev \"x\" not found")
    }

    @Test func aHostWithoutTheKindsIsToldFromAnObjectThatIsNotThere() {
        let error = KubernetesError(
            code: .refused, verb: "list", object: "machines.nestbox.dev", httpStatus: 404, detail: "the server answered 404: not found")
        #expect(text(error)?.contains("does not know machines.nestbox.dev: is Nestbox installed there") == true)
    }

    @Test func whatDoesNotAnswerPointsToTheKubeconfig() {
        let error = KubernetesError(code: .unreachable, verb: "list", object: "machines.nestbox.dev", detail: "cannot connect")
        #expect(text(error)?.hasPrefix("Error: cannot list machines.nestbox.dev: cannot connect; is the host cluster up") == true)
    }

    @Test func exitCodesAreKept() {
        #expect(CommandFailure.presentation(of: CommandFailure("x"))?.exitCode == .failure)
        #expect(CommandFailure.presentation(of: CommandFailure("x", exitCode: .timedOut))?.exitCode == ExitCode(124))
        #expect(CommandFailure.presentation(of: ExitCode(3)) == nil)
    }
}
