import Foundation
import KubernetesAPI
import NestboxAPI
import Testing

@testable import AdminCLI

@Suite struct InventoryTests {
    static func text(_ name: String, address: String = "192.0.2.1", more: String = "") -> String {
        """
        apiVersion: nestbox.dev/v1alpha1
        kind: Machine
        metadata: {name: \(name), labels: {rack: "12"}}
        spec: {address: \(address), sshKeySecret: k\(more)}

        """
    }

    private func inventory(_ text: String) -> Inventory {
        var inventory = Inventory()
        inventory.add(text, from: "a.yaml")
        return inventory
    }

    @Test func documentsListsAndJSONAreTaken() {
        let yaml = "# only a comment\n---\n\(Self.text("a"))---\n\(Self.text("b", address: "192.0.2.2"))---\n"
        #expect(inventory(yaml).machines.map(\.name) == ["a", "b"] && inventory(yaml).problems.isEmpty)
        #expect(inventory(yaml).entries.last?.source == "a.yaml, document 2")
        let list =
            #"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"nestbox.dev/v1alpha1","kind":"Machine","metadata":{"name":"c"},"spec":{"address":"192.0.2.3","sshKeySecret":"k"}}]}"#
        #expect(inventory(list).machines.map(\.name) == ["c"])
        #expect(inventory(yaml).machines.first?.metadata.labels == ["rack": "12"])
    }

    @Test(arguments: [
        ("a: [", "a.yaml is no YAML: "),
        ("kind: NodePool\napiVersion: nestbox.dev/v1alpha1\n", "a.yaml: nestbox.dev/v1alpha1 NodePool is not nestbox.dev/v1alpha1 Machine"),
        (text("a", more: ", adress: x"), "a.yaml: spec.adress is no field of a Machine"),
        (text("a", more: ", jumpHost: {address: h, usr: x}"), "a.yaml: spec.jumpHost.usr is no field of a Machine"),
        (text("a", more: ", port: many"), "a.yaml: spec.port is no Int"),
        (text("a", more: ", port: 0"), "a.yaml: spec.port: 0 is not a port: 1 to 65535"),
        (text("A"), "a.yaml: metadata.name: \"A\" is not a DNS label"),
        (text("a", more: ", port: 22, port: 23"), "a.yaml is no YAML: "),
        ("spec: 1\nmetadata: {name: a}\nkind: Machine\napiVersion: nestbox.dev/v1alpha1", "a.yaml: spec is no "),
        ("", ""),
    ])
    func whatIsWrongIsNamed(text: String, says: String) {
        let problems = inventory(text).problems
        #expect(says.isEmpty ? problems.isEmpty : problems.contains { $0.hasPrefix(says) }, "\(problems)")
    }

    private func read(_ texts: [String: String], _ body: (Inventory, String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nestbox-inventory-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in texts { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)")) }
        try body(try Inventory.read([folder]), folder)
    }

    @Test func aFolderIsReadAndTwinsInItAreFound() throws {
        try read(["1.yaml": Self.text("a"), "2.yml": Self.text("a", address: "192.0.2.2"), "3.txt": "x", "4.yaml": Self.text("b")]) {
            #expect($0.entries.count == 3)
            #expect(
                $0.problems == [
                    "\($1)/2.yml: machine a is in \($1)/1.yaml already",
                    "\($1)/4.yaml: machine b has the address of machine a, 192.0.2.1:22",
                ])
        }
        try read(["1.txt": ""]) { #expect($0.problems == ["there is no Machine in \($1)"]) }
        #expect(throws: CommandFailure.self) { try Inventory.read(["/no/such/file"]) }
        // Behind another jump host it is another server.
        let behind = Self.text("b", more: ", jumpHost: {address: bastion.example.com}")
        try read(["1.yaml": Self.text("a"), "2.yaml": behind]) { inventory, _ in #expect(inventory.problems.isEmpty) }
    }

    @Test func whatIsThereStaysAndWhatDiffersIsRefused() throws {
        try read(["1.yaml": Self.text("a"), "2.yaml": Self.text("b", address: "192.0.2.2")]) { inventory, folder in
            var there = inventory.machines[0]
            // What others added, and what is left to its default, is no difference.
            there.metadata.labels?["nestbox.dev/arch"] = "amd64"
            there.spec?.port = 22
            let same = inventory.compared(with: [there])
            #expect(same.unchanged.map(\.name) == ["a"] && same.new.map(\.name) == ["b"] && same.problems.isEmpty)

            there.spec?.user = "admin"
            there.metadata.labels?["rack"] = "13"
            let other = inventory.compared(with: [there])
            #expect(
                other.problems == [
                    "\(folder)/1.yaml: machine a is there already, with other spec.user, label rack: create changes nothing that is there "
                        + "(kubectl apply -f does)"
                ])
            var twin = inventory.machines[1]
            twin.metadata.name = "z"
            #expect(
                inventory.compared(with: [twin]).problems.first?.hasSuffix(
                    "has the address of machine z, which is there already: 192.0.2.2:22") == true)
        }
    }

    @Test(arguments: [
        ("10.0.0.1", JumpHostSpec(address: "10.0.0.1")), ("jump@b.example.com", JumpHostSpec(address: "b.example.com", user: "jump")),
        ("jump@b:2222", JumpHostSpec(address: "b", port: 2222, user: "jump")), ("b:2222", JumpHostSpec(address: "b", port: 2222)),
    ])
    func jumpHostsAreReadAsSSHReadsThem(text: String, spec: JumpHostSpec) {
        #expect(JumpHostArgument(argument: text)?.spec(keySecret: nil) == spec)
    }

    @Test(arguments: ["", "@b", "b:", "b:x", "a@b:1:2", ":22"]) func whatIsNoJumpHostIsNone(text: String) {
        #expect(JumpHostArgument(argument: text) == nil)
    }
}

@Suite struct RegistrationTallyTests {
    private static let start = ContinuousClock.now

    private static func machine(
        _ name: String, phase: MachinePhase? = nil, trouble: (type: String, reason: String, message: String)? = nil
    ) -> Machine {
        let conditions = trouble.map {
            [Condition(type: $0.type, status: "False", reason: $0.reason, message: $0.message, lastTransitionTime: "2026-01-01T00:00:00Z")]
        }
        return Machine(metadata: ObjectMeta(name: name), status: MachineStatus(phase: phase, conditions: conditions, message: "why"))
    }

    @Test func eachIsToldOnce() {
        var tally = RegistrationTally(["a", "b", "c"])
        let now = Self.start
        let first = tally.see(Self.machine("a"), now: now)
        #expect(!first)
        let came = tally.see(Self.machine("a", phase: .available), now: now)
        #expect(came)
        let again = tally.see(Self.machine("a", phase: .claimed), now: now)
        #expect(!again)
        let stranger = tally.see(Self.machine("z", phase: .available), now: now)
        #expect(!stranger)
        let refused = tally.see(Self.machine("b", trouble: ("Reachable", "KeyRefused", "the key is refused")), now: now)
        #expect(refused && tally.failed.map(\.why) == ["the key is refused"])
        #expect(tally.line == "1 of 3 machines are registered, 1 failed" && !tally.isOver)
        let lost = tally.lose("c")
        #expect(lost && tally.isOver)
    }

    @Test func whoDoesNotAnswerIsGivenTime() {
        var tally = RegistrationTally(["a"])
        let booting = Self.machine("a", trouble: ("Reachable", "SSHFailed", "Connection refused"))
        let (news, soon) = (tally.see(booting, now: Self.start), tally.giveUp(now: Self.start + .seconds(44)))
        #expect(!news && soon.isEmpty)
        #expect(tally.waiting.map(\.why) == ["Connection refused"])
        let (then, later) = (tally.giveUp(now: Self.start + .seconds(45)), tally.giveUp(now: Self.start + .seconds(50)))
        #expect(then == ["a"] && later.isEmpty && tally.isOver)
        // It comes after all.
        let came = tally.see(Self.machine("a", phase: .available), now: Self.start + .seconds(60))
        #expect(came && tally.registered == 1)
        let fell = tally.see(Self.machine("a", phase: .quarantined), now: Self.start)
        #expect(fell && tally.failed.map(\.why) == ["it is Quarantined: why"])
    }
}
