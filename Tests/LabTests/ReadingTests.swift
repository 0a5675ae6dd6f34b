import FoundationEssentials
import KubernetesAPI
import Subprocess
import Testing

@testable import Lab

@Suite("Reading what the computer says")
struct ReadingTests {
    static let mountinfo = """
        23 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
        31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw
        40 23 0:40 / /var/lib/docker/overlay2/x rw,relatime shared:3 master:2 - overlay overlay rw
        41 23 0:41 / /cache/lab/demo/a\\040b rw - tmpfs tmpfs rw
        42 23 0:42 / /cache/lab/demo2 rw - tmpfs tmpfs rw
        """

    @Test func mounts() {
        let table = MountTable(Self.mountinfo)
        #expect(table.fileSystem(of: "/root/.cache") == "ext4")
        #expect(table.fileSystem(of: "/var/lib/docker/overlay2/x/root") == "overlay")
        #expect(table.places(below: "/cache/lab/demo") == ["/cache/lab/demo/a b"])
        #expect(table.places(below: "/cache/lab/other") == [])
    }

    @Test func theSupervisorIsKnownByItsStart() throws {
        let stat = "4711 (a) b) (c) S 1 4711 4711 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 987654 1000 20 18446744073709551615\n"
        #expect(SupervisorProcess.isRunning(stat: stat, startTime: 987_654))
        #expect(!SupervisorProcess.isRunning(stat: stat, startTime: 987_655))
        #expect(!SupervisorProcess.isRunning(stat: stat.replacing(") S 1", with: ") Z 1"), startTime: 987_654))
        #expect(!SupervisorProcess.isRunning(stat: "", startTime: 0))
        #expect(SupervisorProcess(record: "4711 987654\n") != nil)
        for record in ["", "4711", "1 5", "-3 5", "x 5", "4711 x"] { #expect(SupervisorProcess(record: record) == nil, "\(record)") }
    }

    @Test func thisProcessIsAlive() throws {
        let fields = try #require(try Files.text("/proc/self/stat").split(separator: ")").last).split(separator: " ")
        let number = try #require(Int(try Files.text("/proc/self/stat").prefix { $0 != " " }))
        #expect(try #require(SupervisorProcess(record: "\(number) \(fields[19])")).isAlive())
        #expect(try !#require(SupervisorProcess(record: "\(number) 1")).isAlive())
    }

    @Test func debiansArchives() {
        let deb822 = """
            Types: deb
            # a comment
            URIs: http://mirror.example/debian
            Suites: bookworm bookworm-updates trixie
            Components: main contrib
            Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

            Types: deb
            URIs: https://vendor.example
            Suites: nodistro
            Components: main

            Types: deb
            URIs: http://off.example/debian
            Suites: bookworm
            Components: main
            Enabled: no
            """
        let key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
        #expect(
            AptMirrors.lines(deb822: deb822, suite: "bookworm") == [
                "deb \(key) http://mirror.example/debian bookworm main", "deb \(key) http://mirror.example/debian bookworm-updates main",
            ])
        let list = """
            # deb http://no.example/debian bookworm main
            deb http://a.example/debian bookworm main non-free # words
            deb [arch=amd64 signed-by=/k.gpg] http://b.example/debian bookworm-security main
            deb-src http://a.example/debian bookworm main
            deb http://a.example/debian sid main
            deb http://vendor.example stable main
            """
        #expect(
            AptMirrors.lines(list: list, suite: "bookworm") == [
                "deb http://a.example/debian bookworm main",
                "deb [arch=amd64 signed-by=/k.gpg] http://b.example/debian bookworm-security main",
            ])
    }

    @Test func theSuiteOfTheMachines() {
        #expect(MachineRootfs.suite(osRelease: "ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME=\"Debian 12\"\n") == "bookworm")
        #expect(MachineRootfs.suite(osRelease: "ID=ubuntu\nVERSION_CODENAME=noble\n") == nil)
    }

    @Test func aNodeIsReadyByTheWordOfARunningKubelet() throws {
        let start = try #require(Timestamp.parse("2026-01-01T10:00:00.500000Z"))
        func node(_ status: String, _ heartbeat: String) -> Node {
            Node(
                metadata: ObjectMeta(name: "n"),
                status: NodeStatus(conditions: [StatusCondition(type: "Ready", status: status, lastHeartbeatTime: heartbeat)]))
        }
        #expect(HostAPI.isReady(node("True", "2026-01-01T10:00:00Z"), since: start))
        #expect(!HostAPI.isReady(node("True", "2026-01-01T09:59:59Z"), since: start))
        #expect(!HostAPI.isReady(node("False", "2026-01-01T10:00:05Z"), since: start))
        #expect(!HostAPI.isReady(Node(metadata: ObjectMeta(name: "n")), since: start))
    }

    @Test(arguments: BootScripts.all.keys.sorted())
    func bashUnderstandsTheScript(_ name: String) async throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = "\(folder.path)/\(name)"
        try Files.write(try #require(BootScripts.all[name]), to: path)
        let outcome = try await Command.result("bash", ["-n", path], purpose: "reading \(name)")
        #expect(outcome.succeeded, "\(outcome.error)")
    }
}
