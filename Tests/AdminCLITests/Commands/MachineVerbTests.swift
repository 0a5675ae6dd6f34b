import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestCommands
import TestKubernetes
import Testing

@testable import AdminCLI

extension Commands {
    /// The built `nestbox` and machines by hand and by the hundred; the test answers as an operator would.
    @Suite struct MachineVerbTests {
        private func withHost(_ body: (HostUnderTest) async throws -> Void) async throws {
            try await HostUnderTest.with(try TestKubernetes.current(), body)
        }

        private func makeKey(_ name: String, in host: HostUnderTest) async throws {
            let key = try String(contentsOfFile: try await host.sshKey("ed25519"), encoding: .utf8)
            _ = try await host.client.create(
                Secret(
                    metadata: ObjectMeta(name: name, namespace: host.namespace), type: "kubernetes.io/ssh-auth",
                    stringData: ["ssh-privatekey": key]))
        }

        private func register(
            _ name: String, _ change: @escaping (inout MachineStatus) -> Void = { $0.phase = .available }, in host: HostUnderTest
        ) async throws {
            try await retryOnConflict {
                var machine = try await host.client.get(Machine.self, name)
                var status = machine.status ?? MachineStatus()
                change(&status)
                machine.status = status
                _ = try await host.client.updateStatus(machine)
            }
        }

        /// Waits for a request on the Machine, and answers it.
        private func answer(
            _ name: String, in host: HostUnderTest, after last: String? = nil,
            _ change: @escaping @Sendable (MachineRequest) -> MachineAnswer
        ) async throws -> MachineRequest {
            var request: MachineRequest?
            try await eventually("a request for \(name)") {
                let text = try await host.client.get(Machine.self, name).metadata.annotations?[MachineRequest.annotation]
                request = text.flatMap { MachineRequest(annotation: $0) }
                return request != nil && request?.id != last
            }
            let found = try #require(request)
            try await register(name, { $0.answer = change(found) }, in: host)
            return found
        }

        /// A rack's file, of a test's own names and addresses: Machines are the whole server's.
        private func rack(_ count: Int, _ net: String, in host: HostUnderTest, prefix: String) throws -> String {
            let documents = (1...count).map { index in
                """
                apiVersion: nestbox.dev/v1alpha1
                kind: Machine
                metadata: {name: \(prefix)-\(index), labels: {rack: \(prefix)}}
                spec: {address: \(net).\(index / 250).\(index % 250 + 1), sshKeySecret: fleet}
                """
            }
            let file = "\(host.folder)/rack.yaml"
            try Data(documents.joined(separator: "\n---\n").utf8).write(to: URL(fileURLWithPath: file))
            return file
        }

        @Test func hundredsAreMadeAtOnceAndAgainWithoutHarm() async throws {
            try await withHost { host in
                let prefix = "many-\(host.namespace)"
                let file = try rack(300, "198.18", in: host, prefix: prefix)
                let create = "create machine --operator-namespace \(host.namespace) -f"
                // Nothing is sent before all is right.
                let lacking = try await host.nestbox(create, file)
                #expect(lacking.code == 64 && lacking.error.contains("there is no Secret \(host.namespace)/fleet for the SSH key"))
                #expect(try await host.client.list(Machine.self, labels: "rack=\(prefix)").items.isEmpty)
                try await makeKey("fleet", in: host)

                let start = ContinuousClock.now
                let made = try await host.done(create, file)
                print("300 machines made in \(ContinuousClock.now - start)")
                #expect(made.split(separator: "\n").count == 300 && made.contains("machine.nestbox.dev/\(prefix)-300 created\n"))
                #expect(try await host.client.list(Machine.self, labels: "rack=\(prefix)").items.count == 300)

                // As after Ctrl-C in the middle: what is missing is made, what is there stays.
                try await host.client.delete(Machine.self, "\(prefix)-7")
                let again = try await host.done(create, file)
                #expect(again.split(separator: "\n").count { $0.hasSuffix(" unchanged") } == 299 && again.contains("\(prefix)-7 created\n"))

                // One of another spec: it is named, and nothing is made.
                try await host.client.delete(Machine.self, "\(prefix)-8")
                _ = try await host.client.patch(Machine.self, "\(prefix)-9", merge: ["spec": ["user": "admin"]])
                let other = try await host.nestbox(create, file)
                #expect(other.code == 64 && other.error.contains("machine \(prefix)-9 is there already, with other spec.user"))
                #expect(try await host.client.find(Machine.self, "\(prefix)-8") == nil)
                for machine in try await host.client.list(Machine.self, labels: "rack=\(prefix)").items {
                    try await host.client.delete(Machine.self, machine.name)
                }
            }
        }

        @Test func aFileWithMistakesIsRefusedWholeAndStandardInputIsTaken() async throws {
            try await withHost { host in
                try await makeKey("fleet", in: host)
                let name = "in-\(host.namespace)"
                func yaml(_ name: String, _ address: String) -> String {
                    "apiVersion: nestbox.dev/v1alpha1\nkind: Machine\nmetadata: {name: \(name)}\nspec: {address: \(address), sshKeySecret: fleet}\n---\n"
                }
                let file = "\(host.folder)/wrong.yaml"
                try Data((yaml(name, "198.19.0.1") + yaml("other-\(name)", "198.19.0.256")).utf8).write(to: URL(fileURLWithPath: file))
                let wrong = try await host.nestbox("create machine --operator-namespace \(host.namespace) -f", file)
                #expect(
                    wrong.code == 64
                        && wrong.error.contains("wrong.yaml, document 2: spec.address: \"198.19.0.256\" is not an IPv4 address"))
                #expect(try await host.client.find(Machine.self, name) == nil)
                let piped = try await host.commands.shell(
                    "\(HostUnderTest.nestbox) create machine --operator-namespace \(host.namespace) -f - <<'EOF'\n\(yaml(name, "198.19.0.1"))EOF"
                )
                #expect(piped == "machine.nestbox.dev/\(name) created\n")
                let dry = try await host.done("create machine --dry-run -o yaml -f", "\(HostUnderTest.root)/nodepools/rack12.yaml")
                #expect(dry.contains("name: rack12-01\n") && dry.contains("\n---\n"))
                let both = try await host.nestbox("create machine x -f \(file)")
                #expect(both.code == 64 && both.error.contains("with -f all that a machine is stands in the file"))
                try await host.client.delete(Machine.self, name)
            }
        }

        @Test func waitingTellsOfEachAndSumsUp() async throws {
            try await withHost { host in
                try await makeKey("fleet", in: host)
                let prefix = "wait-\(host.namespace)"
                let file = try rack(3, "198.20", in: host, prefix: prefix)
                let code = try await host.commands.whileRunning(
                    HostUnderTest.nestbox,
                    ["create", "machine", "-f", file, "--operator-namespace", host.namespace, "--wait", "--timeout", "60"]
                ) { running in
                    _ = try await running.line(with: "\(prefix)-3 created")
                    try await register(
                        "\(prefix)-1",
                        { status in
                            status.phase = .available
                            status.facts = MachineFacts(architecture: "amd64", operatingSystem: "Debian 12", cpus: 32, memoryMiB: 128_838)
                        }, in: host)
                    _ = try await running.line(with: "\(prefix)-1 registered: Debian 12, amd64, 32 CPUs, 128 GiB")
                    try await register(
                        "\(prefix)-2",
                        { status in
                            var conditions = ConditionSet(nil, generation: 1)
                            conditions.set("Reachable", false, reason: "KeyRefused", message: "root@198.20.0.3:22 refuses the SSH key")
                            status.conditions = conditions.list
                        }, in: host)
                    _ = try await running.line(with: "\(prefix)-2 failed: root@198.20.0.3:22 refuses the SSH key")
                    try await register("\(prefix)-3", in: host)
                    _ = try await running.line(with: "Error: 2 of 3 machines are registered; 1 are not")
                    _ = try await running.line(with: "  \(prefix)-2 ")
                }
                #expect(code == 1)
                let late = try await host.nestbox("create machine --operator-namespace \(host.namespace) --wait --timeout 2 -f", file)
                #expect(late.code == 1 && late.output.contains("\(prefix)-1 unchanged"))
                try await register("\(prefix)-2", in: host)
                let last = try await host.nestbox("create machine --operator-namespace \(host.namespace) --wait --timeout 30 -f", file)
                #expect(last.code == 0 && last.error.contains("3 of 3 machines are registered after"))
                for index in 1...3 { try await host.client.delete(Machine.self, "\(prefix)-\(index)") }
            }
        }

        private func withMachine(_ host: HostUnderTest, _ address: String, _ body: (String) async throws -> Void) async throws {
            let name = "hand-\(host.namespace)"
            try await host.done("create machine \(name) --ssh-key-secret fleet --address \(address)")
            try await register(name, in: host)
            try await body(name)
            try await host.client.delete(Machine.self, name)
        }

        @Test func aCheckPrintsItsVerdictAndEndsAsItSays() async throws {
            try await withHost { host in
                try await withMachine(host, "198.21.0.1") { name in
                    let findings = [
                        MachineFinding(name: "Reachable", passed: true, message: "by SSH"),
                        MachineFinding(name: "Clock", passed: false, message: "90 s \u{1b}[31mbehind"),
                    ]
                    async let bad = host.nestbox("machine check \(name)")
                    let request = try await answer(name, in: host) {
                        MachineAnswer(id: $0.id, verb: $0.verb, result: .failed, message: "Clock", findings: findings)
                    }
                    #expect(request.verb == .check)
                    let outcome = try await bad
                    #expect(outcome.code == 1 && outcome.error.contains("Error: not sound: \(name)\n"))
                    #expect(outcome.output.hasPrefix("\(name): not sound\n  CHECK"))
                    #expect(outcome.output.contains("Clock       WRONG    90 s") && !outcome.output.contains("\u{1b}"))
                    #expect(try await host.done("describe machine \(name)").contains("Last check"))

                    async let good = host.done("machine check \(name) -o json")
                    _ = try await answer(name, in: host, after: request.id) {
                        MachineAnswer(id: $0.id, verb: $0.verb, result: .succeeded, message: "it is sound", findings: [findings[0]])
                    }
                    #expect(try await good.contains("\"result\" : \"Succeeded\""))
                    let silent = try await host.nestbox("machine check \(name) --timeout 1")
                    #expect(silent.code == 124 && silent.error.contains("the machines operator has not answered yet"))
                }
            }
        }

        @Test func refusalsAreFailuresAndWaitingFollowsTheCleaning() async throws {
            try await withHost { host in
                try await withMachine(host, "198.22.0.1") { name in
                    async let refused = host.nestbox("machine clean \(name)")
                    let first = try await answer(name, in: host) {
                        MachineAnswer(
                            id: $0.id, verb: $0.verb, result: .refused, message: "it is Ready, held by a/b: --force drains its node first")
                    }
                    let outcome = try await refused
                    #expect(outcome.code == 1 && outcome.output.isEmpty)
                    #expect(
                        outcome.error.contains("Error: machine \(name): refused: it is Ready, held by a/b: --force drains its node first"))

                    let code = try await host.commands.whileRunning(
                        HostUnderTest.nestbox, ["machine", "clean", name, "--force", "--wait", "--timeout", "60"]
                    ) { running in
                        let request = try await answer(name, in: host, after: first.id) {
                            MachineAnswer(id: $0.id, verb: $0.verb, result: .succeeded, message: "it is cleaned")
                        }
                        #expect(request.verb == .clean && request.force == true)
                        try await register(name, { $0.phase = .cleaning }, in: host)
                        try await register(name, { $0.phase = .available }, in: host)
                        _ = try await running.line(with: "machine.nestbox.dev/\(name) is clean")
                    }
                    #expect(code == 0)
                    let silent = try await host.nestbox("machine quarantine \(name)")
                    #expect(silent.code == 64 && silent.error.contains("--reason"))
                    #expect(try await host.nestbox("machine release no-such-machine").code == 1)
                }
            }
        }

        @Test func logsArePrintedAndFollowed() async throws {
            try await withHost { host in
                _ = try await host.client.create(Secret(metadata: ObjectMeta(name: MachineAnswerBox.secretName, namespace: host.namespace)))
                try await withMachine(host, "198.23.0.1") { name in
                    @Sendable func leave(_ text: String, _ cursor: String?, after last: String?) async throws -> MachineRequest {
                        var request: MachineRequest?
                        try await eventually("a request for \(name)") {
                            let asked = try await host.client.get(Machine.self, name).metadata.annotations?[MachineRequest.annotation]
                            request = asked.flatMap { MachineRequest(annotation: $0) }
                            return request != nil && request?.id != last
                        }
                        let found = try #require(request)
                        let key = "000" + MachineAnswerBox.suffix(machine: name, request: found.id)
                        _ = try await host.client.patch(
                            Secret.self, MachineAnswerBox.secretName, namespace: host.namespace,
                            merge: ["data": [key: .string(Base64(text: text).encoded)]])
                        return try await answer(name, in: host, after: last) {
                            MachineAnswer(id: $0.id, verb: $0.verb, result: .succeeded, message: "1 lines", cursor: cursor)
                        }
                    }
                    let code = try await host.commands.whileRunning(
                        HostUnderTest.nestbox,
                        ["machine", "logs", name, "-f", "--tail", "5", "--unit", "kubelet", "--operator-namespace", host.namespace]
                    ) { running in
                        let first = try await leave("a line\nanother \u{1b}[2Jline", "s=1", after: nil)
                        #expect(first.tail == 5 && first.units == ["kubelet"] && first.after == nil)
                        _ = try await running.line(with: "a line")
                        let second = try await leave("a third", "s=2", after: first.id)
                        #expect(second.after == "s=1")
                        _ = try await running.line(with: "a third")
                        #expect(await !running.all().joined().contains("\u{1b}"))
                        running.signal(SIGINT)
                    }
                    #expect(code == 130)
                }
            }
        }

        @Test func aKeyIsChangedOnceEveryMachineTakesIt() async throws {
            try await withHost { host in
                try await makeKey("fleet", in: host)
                let old = try await host.client.get(Secret.self, "fleet", namespace: host.namespace).data?["ssh-privatekey"]
                let new = try await host.sshKey("ecdsa")
                // No other test's Machines: all that name the Secret are asked, whoever made them.
                let secret = "rotate-\(host.namespace)"
                _ = try await host.client.create(
                    Secret(metadata: ObjectMeta(name: secret, namespace: host.namespace), data: ["ssh-privatekey": try #require(old)]))
                let names = ["r1-\(host.namespace)", "r2-\(host.namespace)"]
                for (index, name) in names.enumerated() {
                    try await host.done("create machine \(name) --ssh-key-secret \(secret) --address 198.24.0.\(index + 1)")
                    try await register(name, in: host)
                }
                let rotate = "machine rotate-key \(names[0]) --operator-namespace \(host.namespace) --ssh-key"
                func answerAll(_ result: MachineResult, after last: [String: String]) async throws -> [String: String] {
                    var ids: [String: String] = [:]
                    for name in names {
                        let isLast = name == names[1]
                        let request = try await answer(name, in: host, after: last[name]) {
                            MachineAnswer(
                                id: $0.id, verb: $0.verb, result: isLast ? result : .succeeded,
                                message: isLast && result == .failed ? "refuses the SSH key" : "takes it")
                        }
                        #expect(request.verb == .tryKey)
                        let now = try await host.client.get(Secret.self, secret, namespace: host.namespace)
                        #expect(now.data?["ssh-privatekey"] == old)
                        ids[name] = request.id
                    }
                    return ids
                }
                async let refused = host.nestbox(rotate, new)
                let ids = try await answerAll(.failed, after: [:])
                let outcome = try await refused
                #expect(outcome.code == 1 && outcome.error.contains("machine \(names[1]): refuses the SSH key"))
                #expect(outcome.error.contains("the key of Secret \(host.namespace)/\(secret) stays as it was"))
                #expect(
                    try await host.client.get(Secret.self, secret, namespace: host.namespace).data == ["ssh-privatekey": try #require(old)])

                async let taken = host.nestbox(rotate, new)
                _ = try await answerAll(.succeeded, after: ids)
                let done = try await taken
                #expect(done.code == 0, "\(done.error)")
                let now = try await host.client.get(Secret.self, secret, namespace: host.namespace)
                let text = try String(contentsOfFile: new, encoding: .utf8)
                #expect(now.data?.keys.sorted() == ["ssh-privatekey"] && now.data?["ssh-privatekey"]?.text == text)
                // It is in no argument and no output.
                #expect(!(done.output + done.error).contains("PRIVATE KEY"))
                for name in names { try await host.client.delete(Machine.self, name) }
            }
        }

        @Test func everyVerbHasHelpWithExamples() async throws {
            let commands = CommandRun(environment: [:])
            for verb in ["check", "clean", "quarantine", "release", "logs", "accept-host-key", "rotate-key", "reimaged"] {
                #expect(try await commands.nestbox("machine", verb, "--help").contains("Example"), "\(verb)")
            }
            #expect(
                try await commands.nestbox("create", "machine", "--help").contains("nestbox create machine -f nodepools/rack12.yaml --wait")
            )
        }
    }
}
