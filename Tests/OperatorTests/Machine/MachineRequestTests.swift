import ArtifactStore
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import NodeJoin
import SSHClient
import TestKubernetes
import TestSSHServer
import Testing

@testable import Operator

/// What people ask of machines, on a real API server and over OpenSSH's own server.
@Suite(
    .enabled(if: SSHServer.isAvailable, "needs root and sshd (NESTBOX_SSHD, /usr/sbin/sshd)"), .integration, .kubernetes, .serialized,
    .timeLimit(.minutes(10)))
struct MachineRequestTests {
    @Test func aNodeIsLookedAtAndSaidToBeAnothersInTheEnd() async throws {
        try await Bench.with { bench in
            try await bench.become(.ready)
            let answer = try await bench.ask(.check)
            let findings = Dictionary(uniqueKeysWithValues: (answer.findings ?? []).map { ($0.name, $0) })
            #expect(findings["Reachable"]?.passed == true && findings["Clock"]?.passed == true, "\(answer)")
            // This computer is no node of that claim.
            #expect(answer.result == .failed && findings["Claim"]?.message.contains("was it reinstalled?") == true)
            let machine = try await bench.machine()
            #expect(machine.status?.facts?.cpus ?? 0 > 0 && machine.metadata.labels?["nestbox.dev/arch"] != nil)
            #expect(machine.status?.conditions?.named("Reachable")?.status == "True")
            // It is answered once.
            try await bench.pass()
            #expect(try await bench.machine().metadata.resourceVersion == machine.metadata.resourceVersion)
        }
    }

    @Test func oneThatDoesNotAnswerIsUnreachableInStatusToo() async throws {
        try await Bench.with { bench in
            try await bench.become(.ready)
            try await bench.change { $0.spec?.port = try freePort() }
            let answer = try await bench.ask(.check)
            #expect(answer.result == .failed && answer.findings?.map(\.name) == ["Reachable"])
            #expect(answer.message?.contains("cannot be reached over SSH: Connection refused") == true)
            #expect(try await bench.machine().status?.conditions?.named("Reachable")?.reason == "SSHFailed")
        }
    }

    /// Of the same label each side has its own, and a person's stays a person's.
    @Test func labelsOfPeopleAreLeftAlone() async throws {
        try await Bench.with { bench in
            try await bench.change { $0.metadata.labels = ["nestbox.dev/cpus": "64", "rack": "12"] }
            let facts = MachineFacts(
                architecture: "amd64", cpus: 2, memoryMiB: 2048, gpus: [GPUFact(vendor: "amd", device: "1002:74a1", count: 1)])
            try await bench.reconciler.label(try await bench.machine(), by: facts)
            #expect(
                try await bench.machine().metadata.labels == [
                    "nestbox.dev/cpus": "64", "rack": "12", "nestbox.dev/arch": "amd64", "nestbox.dev/memory-gib": "2",
                    "nestbox.dev/gpu": "amd",
                    "nestbox.dev/gpu-device": "1002-74a1", "nestbox.dev/gpus": "1",
                ])
            // The same again writes nothing, and what is true no longer goes.
            let version = try await bench.machine().metadata.resourceVersion
            try await bench.reconciler.label(try await bench.machine(), by: facts)
            #expect(try await bench.machine().metadata.resourceVersion == version)
            try await bench.reconciler.label(try await bench.machine(), by: MachineFacts(architecture: "arm64", cpus: 2, memoryMiB: 2048))
            #expect(
                try await bench.machine().metadata.labels == [
                    "nestbox.dev/cpus": "64", "rack": "12", "nestbox.dev/arch": "arm64", "nestbox.dev/memory-gib": "2",
                ])
            // A person takes one over, and gives it back.
            _ = try await bench.client.patch(Machine.self, bench.name, merge: ["metadata": ["labels": ["nestbox.dev/arch": "riscv64"]]])
            try await bench.reconciler.label(try await bench.machine(), by: facts)
            #expect(try await bench.machine().metadata.labels?["nestbox.dev/arch"] == "riscv64")
            _ = try await bench.client.patch(
                Machine.self, bench.name, merge: ["metadata": ["labels": ["nestbox.dev/arch": .null, "nestbox.dev/cpus": .null]]])
            try await bench.reconciler.label(try await bench.machine(), by: facts)
            #expect(try await bench.machine().metadata.labels?["nestbox.dev/arch"] == "amd64")
            #expect(try await bench.machine().metadata.labels?["nestbox.dev/cpus"] == "2")
            // One that is gone is not made anew.
            let machine = try await bench.machine()
            try await bench.client.delete(Machine.self, bench.name)
            await #expect(throws: Never.self) { try await bench.reconciler.label(machine, by: MachineFacts(architecture: "s390x")) }
            #expect(try await bench.client.find(Machine.self, bench.name) == nil)
        }
    }

    @Test func aChangedSecretCountsFromTheNextConnectionOn() async throws {
        try await Bench.with { bench in
            try await bench.become(.ready)
            try await bench.reconciler.connected(to: bench.machine()) { _ in }
            let other = try await SSHServer()
            try await bench.setKey(from: other)
            await #expect {
                try await bench.reconciler.connected(to: bench.machine()) { _ in }
            } throws: { error in
                "\(error)".contains("refuses the SSH key") && "\(error)".contains("(that of Secret \(bench.namespace)/fleet)")
            }
            // With both in its authorized_keys nothing breaks, whichever is in the Secret.
            try bench.authorize(other)
            try await bench.reconciler.connected(to: bench.machine()) { _ in }
            try await bench.setKey(from: bench.server)
            try await bench.reconciler.connected(to: bench.machine()) { _ in }
        }
    }

    @Test func theNextKeyIsTriedBesideTheOneInUse() async throws {
        try await Bench.with { bench in
            try await bench.become(.ready)
            let none = try await bench.ask(.tryKey)
            #expect(none.result == .failed && none.message == "Secret \(bench.namespace)/fleet has no ssh-privatekey-next")
            let other = try await SSHServer()
            try await bench.setKey(from: other, as: "ssh-privatekey-next")
            #expect(try await bench.ask(.tryKey).result == .failed)
            try bench.authorize(other)
            #expect(try await bench.ask(.tryKey).result == .succeeded)
            try await bench.reconciler.connected(to: bench.machine()) { _ in }
        }
    }

    @Test func aNewHostKeyIsAcceptedByItsFingerprintAlone() async throws {
        try await Bench.with { bench in
            let other = try await SSHServer()
            let (pinned, real) = (try other.hostKey(), try bench.server.hostKey())
            try await bench.become(.ready) { $0.hostKey = pinned.description }
            let seen = try await bench.ask(.check)
            #expect(seen.message?.contains("\(pinned.fingerprint) (ssh-ed25519) is pinned") == true)
            #expect(
                seen.message?.contains("nestbox machine accept-host-key \(bench.name) --fingerprint \(real.fingerprint)") == true, "\(seen)"
            )
            #expect(try await bench.machine().status?.conditions?.named("Reachable")?.reason == "HostKeyChanged")

            let blind = try await bench.ask(.acceptHostKey)
            #expect(blind.result == .refused && blind.message?.contains("presents \(real.fingerprint)") == true)
            let wrong = try await bench.ask(.acceptHostKey) { $0.fingerprint = pinned.fingerprint }
            #expect(wrong.result == .refused)
            #expect(try await bench.machine().status?.hostKey == pinned.description)
            let right = try await bench.ask(.acceptHostKey) { $0.fingerprint = real.fingerprint }
            #expect(right.result == .succeeded, "\(right)")
            #expect(try await bench.machine().status?.hostKey == real.description)
            #expect(
                try await bench.ask(.acceptHostKey) { $0.fingerprint = real.fingerprint }.message?.contains("nothing to accept") == true)
        }
    }

    @Test func aJumpHostIsPinnedAtFirstSightAndItsNewKeyAccepted() async throws {
        try await Bench.with { bench in
            let jump = try await SSHServer()
            try await bench.become(.ready)
            try await bench.setKey(from: jump, secret: "jump")
            try await bench.change {
                $0.spec?.jumpHost = JumpHostSpec(address: "127.0.0.1", port: jump.port, sshKeySecret: "jump")
            }
            let first = try await bench.ask(.check)
            #expect(first.findings?.first?.message.contains("(behind jump host root@127.0.0.1:\(jump.port))") == true, "\(first)")
            #expect(try await bench.machine().status?.jumpHostKey == (try jump.hostKey().description))

            let another = try await SSHServer()
            try await bench.setKey(from: another, secret: "jump")
            try await bench.change { $0.spec?.jumpHost?.port = another.port }
            let changed = try await bench.ask(.check)
            #expect(changed.message?.contains("the host key of jump host root@127.0.0.1:\(another.port) is") == true, "\(changed)")
            let accepted = try await bench.ask(.acceptHostKey) { $0.fingerprint = try another.hostKey().fingerprint }
            #expect(accepted.result == .succeeded, "\(accepted)")
            #expect(try await bench.machine().status?.jumpHostKey == (try another.hostKey().description))
            #expect(try await bench.ask(.check).findings?.first?.passed == true)

            try await bench.change { $0.spec?.jumpHost?.hostKey = try jump.hostKey().description }
            #expect(try await bench.ask(.acceptHostKey) { $0.fingerprint = try another.hostKey().fingerprint }.result == .refused)
            try await bench.setKey(from: jump, secret: "jump")
            let refused = try await bench.ask(.check)
            #expect(refused.result == .failed && refused.message?.contains("jump host") == true)
        }
    }

    @Test func logsAreLeftInTheOneSecretAndOldOnesGo() async throws {
        try await Bench.with { bench in
            try await bench.become(.joining)
            let lacking = try await bench.ask(.logs) { $0.units = ["fake"] }
            #expect(lacking.result == .failed && lacking.message?.contains("kubectl apply -k manifests/operator") == true, "\(lacking)")
            _ = try await bench.client.create(
                Secret(
                    metadata: ObjectMeta(name: MachineAnswerBox.secretName, namespace: bench.namespace), type: "nestbox.dev/machine-answers"
                ))
            var last = ""
            for _ in 0..<MachineAnswerBox.mostAnswers + 2 {
                let answer = try await bench.ask(.logs) { $0.units = ["fake"] }
                #expect(answer.result == .succeeded && answer.cursor == "s=1;i=2", "\(answer)")
                last = answer.id
            }
            let box = try await bench.client.get(Secret.self, MachineAnswerBox.secretName, namespace: bench.namespace)
            #expect(box.data?.count == MachineAnswerBox.mostAnswers)
            let suffix = MachineAnswerBox.suffix(machine: bench.name, request: last)
            #expect(box.data?.first { $0.key.hasSuffix(suffix) }?.value.text == "now kubelet: red line -u fake")
            #expect(try await bench.ask(.logs) { $0.units = ["$(reboot)"] }.result == .failed)
        }
    }

    @Test func whatAsksForAPhaseGetsItOnceAndOnlyTheNewestCounts() async throws {
        try await Bench.with { bench in
            try await bench.become(.ready)
            #expect(try await bench.ask(.clean).result == .refused)
            let answer = try await bench.ask(.quarantine) { $0.reason = "a fan is dead" }
            #expect(answer.result == .succeeded)
            var machine = try await bench.machine()
            #expect(machine.status?.phase == .draining && machine.status?.quarantineReason == "a fan is dead")
            try await bench.become(.quarantined)
            try await bench.request(MachineRequest(id: "old", verb: .clean))
            try await bench.request(MachineRequest(id: "new", verb: .release))
            try await bench.pass()
            machine = try await bench.machine()
            #expect(machine.status?.answer?.id == "new" && machine.status?.phase == .cleaning && !machine.isToBeCleanedWhole)
        }
    }
}

/// A Machine on a real API server whose server is a real sshd of this computer, and the reconcilers that speak to it.
struct Bench: Sendable {
    let client: KubernetesClient
    let namespace: String
    let name: String
    let server: SSHServer
    let reconciler: MachineReconciler

    static func with(_ body: (Bench) async throws -> Void) async throws {
        let cluster = try TestKubernetes.current()
        try await cluster.installKinds()
        try await cluster.withClient { client in
            let namespace = try await cluster.makeNamespace(client)
            try await eventually("the kind to be served") { (try? await client.list(Machine.self)) != nil }
            let server = try await SSHServer(programs: ["journalctl": Self.journalctl])
            let name = "bench-\(namespace)"
            let reconciler = MachineReconciler(
                client: client, artifacts: ArtifactStore(root: server.folder + "/store", logger: .quiet),
                nodeProgram: LocalFile(path: "/bin/true", sha256: ""), published: PublishedFiles(),
                events: EventRecorder(client: client, component: "test", logger: .quiet),
                operatorNamespace: namespace, logger: .quiet)
            let bench = Bench(client: client, namespace: namespace, name: name, server: server, reconciler: reconciler)
            try await bench.setKey(from: server)
            _ = try await client.create(
                Machine(metadata: ObjectMeta(name: name), spec: MachineSpec(address: "127.0.0.1", port: server.port, sshKeySecret: "fleet"))
            )
            try await body(bench)
            if try await client.find(Machine.self, name) != nil { try await client.delete(Machine.self, name) }
        }
    }

    /// It answers with a colour and with what it was asked.
    private static let journalctl = """
        #!/bin/sh
        [ "$1 $2" = "--no-pager --quiet" ] || { echo "not so: $*" >&2; exit 2; }
        shift 7
        printf 'now kubelet: \\033[31mred\\033[0m line %s\\n-- cursor: s=1;i=2\\n' "$*"
        """

    func machine() async throws -> Machine { try await client.get(Machine.self, name) }

    func change(_ change: (inout Machine) throws -> Void) async throws {
        try await retryOnConflict {
            var machine = try await machine()
            try change(&machine)
            _ = try await client.update(machine)
        }
    }

    /// Held by a pool, where the phase says so.
    func become(_ phase: MachinePhase, _ change: (inout MachineStatus) throws -> Void = { _ in }) async throws {
        try await retryOnConflict {
            var machine = try await machine()
            var status = machine.status ?? MachineStatus()
            status.phase = phase
            status.claim = phase == .available ? nil : RequestDecisionTests.claim
            try change(&status)
            machine.status = status
            _ = try await client.updateStatus(machine)
        }
    }

    func setKey(from server: SSHServer, secret: String = "fleet", as member: String = "ssh-privatekey") async throws {
        let text = try String(contentsOfFile: server.folder + "/user", encoding: .utf8)
        if try await client.find(Secret.self, secret, namespace: namespace) == nil {
            _ = try await client.create(Secret(metadata: ObjectMeta(name: secret, namespace: namespace)))
        }
        _ = try await client.patch(
            Secret.self, secret, namespace: namespace, merge: ["data": [member: .string(Base64(text: text).encoded)]])
    }

    /// Puts another's key into the server's authorized_keys, beside its own.
    func authorize(_ other: SSHServer) throws {
        let keys = try [server, other].map { try String(contentsOfFile: $0.folder + "/user.pub", encoding: .utf8) }
        try Data(keys.joined().utf8).write(to: URL(fileURLWithPath: server.folder + "/user.pub"))
    }

    func request(_ request: MachineRequest) async throws {
        _ = try await client.patch(
            Machine.self, name, merge: ["metadata": ["annotations": [MachineRequest.annotation: .string(try request.annotationText)]]])
    }

    func pass() async throws {
        _ = try await MachineRequestReconciler(machines: reconciler).reconcile(ObjectKey(name: name))
    }

    func ask(_ verb: MachineVerb, _ change: (inout MachineRequest) throws -> Void = { _ in }) async throws -> MachineAnswer {
        var request = MachineRequest(id: UUID().uuidString.lowercased(), verb: verb)
        try change(&request)
        try await self.request(request)
        try await pass()
        let answer = try #require(try await machine().status?.answer)
        #expect(answer.id == request.id)
        return answer
    }
}
