import NestboxAPI
import SSHClient
import Testing

@testable import NodeJoin

@Suite struct MachineJournalTests {
    @Test func linesAreCleanedAndTheCursorIsTakenOut() {
        let journal = MachineJournal(
            answer:
                "\n2026-01-01T00:00:00+0000 w kubelet[1]: \u{1b}[31mred\u{1b}[0m\u{7}\n\nsecond\r\u{202e}line\n-- cursor: s=0a1;i=2;b=ff\n\nend\n"
        )
        #expect(journal.lines == ["2026-01-01T00:00:00+0000 w kubelet[1]: red", "second line"])
        #expect(journal.cursor == "s=0a1;i=2;b=ff" && !journal.isCut)
    }

    @Test func whatWasCutBeginsWithAWholeLine() {
        let journal = MachineJournal(answer: "cut\n\nhalf a line\nwhole\n-- cursor: x\"; rm -rf /\nend\n")
        #expect(journal.lines == ["whole"] && journal.isCut && journal.cursor == nil)
        #expect(MachineJournal(answer: "\n\nend\n").lines.isEmpty)
    }

    @Test func unitsAndCursorsAreNoShell() throws {
        let script = try MachineJournal.script(units: ["kubelet", "ssh@1.service"], tail: 20, after: "s=1;i=2", bytes: 100)
        #expect(script.contains("-n 20 --after-cursor='s=1;i=2' -u nestbox-kubelet.service -u ssh@1.service 2>&1"))
        for unit in ["", "-x", "a b", "$(id)", "a;b", String(repeating: "a", count: 129)] {
            #expect(throws: StepFailure.self, "\(unit)") { try MachineJournal.script(units: [unit], tail: 1, after: nil, bytes: 1) }
        }
        #expect(throws: StepFailure.self) { try MachineJournal.script(units: [], tail: 1, after: "x'y", bytes: 1) }
    }

    /// journalctl is not there, or finds nothing: either way a sentence or an empty log.
    @Test func theScriptRunsToItsEnd() async throws {
        do {
            let journal = try await MachineJournal.read(units: ["no-such-unit"], tail: 5, after: nil, bytes: 1000, on: LocalShell())
            #expect(journal.lines.isEmpty, "\(journal)")
        } catch let failure as StepFailure {
            #expect(!failure.message.isEmpty)
        }
    }
}

@Suite struct MachineLookTests {
    @Test func whatItAnswersIsRead() {
        let look = MachineLook(
            answer: """
                now=1800000000
                claim=owner=u epoch=3
                systemd=running
                used./=40
                used./var/lib/kubelet=97
                used.x=many
                unit.nestbox-kubelet.service=failed
                unit.sshd.service=active
                end=end
                """)
        #expect(
            look
                == MachineLook(
                    now: 1_800_000_000, claim: "owner=u epoch=3", systemd: "running", usedPercent: ["/": 40, "/var/lib/kubelet": 97],
                    units: ["nestbox-kubelet.service": "failed"]))
        #expect(look.isClaimed(machineUID: "u", epoch: 3) && !look.isClaimed(machineUID: "u", epoch: 4))
    }

    @Test func theScriptRunsToItsEnd() async throws {
        let look = try await MachineLook.gather(on: LocalShell())
        #expect(look.now ?? 0 > 1_700_000_000 && look.usedPercent["/"] != nil, "\(look)")
    }
}

@Suite struct HardwareFactsTests {
    @Test func disksAndGraphicsCardsAreRead() {
        let facts = MachineFacts(
            answer: """
                architecture=aarch64
                os-id=debian
                os-version=12
                disk.sda=15628053168 hdd
                disk.nvme0n1=1875385008 nvme
                disk.x=0 ssd
                disk.y=12 floppy
                disk.z=many ssd
                gpu.0000:41:00.0=10de:20b5
                gpu.0000:81:00.0=10de:20b5
                gpu.0000:c1:00.0=1a03:2000
                gpu.0000:c2:00.0=../../etc
                end=end
                """)
        #expect(facts.architecture == "arm64" && facts.operatingSystemID == "debian" && facts.operatingSystemVersion == "12")
        #expect(
            facts.disks == [DiskFact(name: "nvme0n1", sizeGiB: 894, kind: "nvme"), DiskFact(name: "sda", sizeGiB: 7452, kind: "hdd")])
        #expect(facts.gpus == [GPUFact(vendor: "nvidia", device: "10de:20b5", count: 2)])
    }

    /// A made-up /sys: what is no disk of the machine's own, and what only shows its console, is none.
    @Test func theScriptLooksAtWhatIsBuiltIn() async throws {
        let prelude = """
            sys=$(mktemp -d); trap 'rm -rf $sys' EXIT
            disk() { mkdir -p $sys/block/$1/queue $sys/block/$1/device; echo $2 > $sys/block/$1/size; echo $3 > $sys/block/$1/queue/rotational; echo "${4:-0}" > $sys/block/$1/removable; echo "${5:-ATA}" > $sys/block/$1/device/vendor; }
            disk sda 2097152 1; disk sdb 4194304 0; disk sdc 2097152 0 1; disk sdd 2097152 1 0 QEMU; disk vda 2097152 1; disk nvme0n1 2097152 0; disk sr0 2097152 1
            mkdir -p $sys/block/loop0 $sys/block/dm-0
            card() { mkdir -p $sys/bus/pci/devices/$1; echo $2 > $sys/bus/pci/devices/$1/class; echo $3 > $sys/bus/pci/devices/$1/vendor; echo $4 > $sys/bus/pci/devices/$1/device; }
            card 0000:00:02.0 0x030000 0x8086 0x3e98; card 0000:02:00.0 0x030000 0x1a03 0x2000; card 0000:41:00.0 0x030200 0x10de 0x20b5
            card 0000:42:00.0 0x120000 0x1002 0x74a1; card 0000:43:00.0 0x020000 0x10de 0x1021; card 0000:44:00.0 0x038000 0x8086 0x56c0

            """
        let script = MachineFacts.script.replacing("/sys/block", with: "$sys/block").replacing("/sys/bus", with: "$sys/bus")
        let facts = MachineFacts(answer: try await LocalShell(prelude: prelude).run(script, timeout: .seconds(30)).text)
        #expect(
            facts.disks?.map { "\($0.name) \($0.sizeGiB) \($0.kind)" } == [
                "nvme0n1 1 nvme", "sda 1 hdd", "sdb 2 ssd", "sdd 1 virtual", "vda 1 virtual",
            ])
        #expect(
            facts.gpus == [
                GPUFact(vendor: "amd", device: "1002:74a1", count: 1), GPUFact(vendor: "nvidia", device: "10de:20b5", count: 1),
                GPUFact(vendor: "intel", device: "8086:56c0", count: 1),
            ])
    }
}
