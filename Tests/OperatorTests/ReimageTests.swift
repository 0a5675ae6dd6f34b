import KubernetesAPI
import NestboxAPI
import SSHClient
import Testing

@testable import Operator

@Suite("Installed anew")
struct ReimageTests {
    private static let keys = [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHhG5nZMY3P/T7ow/KqZBUxNLa1KqQJ932FZplXYqQ33",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKhG5nZMY3P/T7ow/KqZBUxNLa1KqQJ932FZplXYqQ33",
    ]

    @Test(arguments: [
        (MachinePhase.reimaging, Int?(7), String?("7"), true), (.quarantined, 7, "7", true), (.quarantined, nil, "0", true),
        // A word of an earlier time, or none.
        (.reimaging, 7, "6", false), (.reimaging, 7, nil, false),
        // Nobody waits for it.
        (.available, 7, "7", false), (.ready, 7, "7", false), (.cleaning, 7, "7", false),
    ])
    func whoseWordCounts(phase: MachinePhase, epoch: Int?, said: String?, counts: Bool) {
        var machine = Machine(metadata: ObjectMeta(name: "a"), status: MachineStatus(phase: phase, lastEpoch: epoch))
        machine.metadata.annotations = said.map { [Reimage.annotation: $0] }
        #expect(machine.isReimaged == counts)
    }

    @Test func theSameHostKeyIsTheSameSystem() throws {
        let (before, after) = (try #require(HostKey(Self.keys[0])), try #require(HostKey(Self.keys[1])))
        var machine = Machine(metadata: ObjectMeta(name: "a"), spec: MachineSpec(), status: MachineStatus(previousHostKey: Self.keys[0]))
        #expect(machine.reimageTrouble(presented: after) == nil)
        #expect(machine.reimageTrouble(presented: before)?.contains("was not installed anew") == true)
        // Where the installation brings it, and somebody says so.
        machine.spec?.hostKey = Self.keys[0]
        #expect(machine.reimageTrouble(presented: before) == nil)
        machine.status?.previousHostKey = nil
        machine.spec?.hostKey = nil
        #expect(machine.reimageTrouble(presented: before) == nil)
    }
}
