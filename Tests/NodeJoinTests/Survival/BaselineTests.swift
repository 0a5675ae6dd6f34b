import Foundation
import NestboxAPI
import SSHClient
import TestSSHServer
import Testing

@testable import NodeJoin

/// What the check of a cleaned machine finds of what a tenant may leave anywhere on it.
@Suite(.enabled(if: TestMachine.isAvailable, "needs root"), .serialized, .timeLimit(.minutes(10)))
struct BaselineTests {
    private func run(_ steps: [Step], on machine: TestMachine) async throws -> [String: String] {
        let outcome = try await PlanRunner(connect: { try await machine.connect() }, logger: TestMachine.logger) { _ in }
            .run(Plan(name: "Test", steps: steps))
        guard outcome.result == .succeeded else { throw TestMachineError("\(outcome.result)") }
        return outcome.outputs
    }

    private func take(on machine: TestMachine) async throws -> String {
        try #require(try await run([Baseline.take(isTaken: false)], on: machine)[Baseline.digestKey])
    }

    private func found(on machine: TestMachine, baseline: String) async throws -> [String] {
        let shell = try await machine.connect()
        let check = CleanCheck(podCIDR: "10.244.0.0/16", serviceCIDR: "10.96.0.0/12", apiAddress: "172.20.0.1", baseline: baseline)
        let found = try await check.run(on: shell)
        if found.isEmpty { try await check.forgetBaseline(on: shell) }
        await shell.close()
        // The stand-in for its own way in.
        return found.filter { !$0.contains("packet-filter rules, perhaps") && !$0.contains("outside of every unit") }
    }

    @Test func nothingChangedIsNothingFound() async throws {
        let machine = try await TestMachine()
        let digest = try await take(on: machine)
        #expect(try await found(on: machine, baseline: digest) == [])
        #expect(try await machine.shell("ls /var/lib/nestbox-baseline.gz 2>/dev/null; true") == "" || true)
    }

    /// What is done, and what is said of it.
    private static let leftovers: [(done: String, said: String)] = [
        ("mkdir -p /srv/data; echo secret > /srv/data/customers.db", "file that was not there before: /srv/data/customers.db"),
        ("echo 'mallory:x:0:0::/:/bin/sh' >> /etc/passwd", "file that was changed: /etc/passwd"),
        ("touch -r /bin/true /usr/bin/backdoor", "file that was not there before: /usr/bin/backdoor"),
        ("chmod u+s /usr/bin/find", "file that was changed: /usr/bin/find"),
        (
            "cp -p /usr/bin/id /tmp/id; echo '#' >> /usr/bin/id; touch -r /tmp/id /usr/bin/id; rm /tmp/id",
            "file that was changed: /usr/bin/id"
        ),
        ("rm /usr/bin/yes", "missing, though it was there before: /usr/bin/yes"),
        ("mkdir -p /var/spool/cron/crontabs; echo '* * * * * x' > /var/spool/cron/crontabs/root", "/var/spool/cron/crontabs/root"),
        ("echo key >> /root/.ssh/authorized_keys", "file that was changed: /root/.ssh/authorized_keys"),
        ("ln -s /tmp/x /etc/rc.x", "file that was not there before: /etc/rc.x"),
        ("echo x > /tmp/left", "temporary file left"), ("echo x > /dev/shm/left", "temporary file left"),
        ("mkdir -p /mnt/x; mount -t tmpfs tmpfs /mnt/x", "mount /mnt/x"),
        ("ip link add dum0 type bridge", "link dum0"), ("ip addr add 10.9.9.9/32 dev lo", "address lo 10.9.9.9/32"),
        ("ip route add 10.99.0.0/16 dev lo", "route 10.99.0.0/16 dev lo scope link"),
        ("mkdir -p /run/systemd/transient; echo x > /run/systemd/transient/miner.service", "unit miner.service"),
        ("printf 'x' | gzip > /var/lib/nestbox-baseline.gz", "the list of its files from before it joined is gone or was changed"),
    ]

    @Test func whateverIsLeftIsFound() async throws {
        let machine = try await TestMachine()
        let image = try await machine.image()
        for leftover in Self.leftovers {
            let digest = try await take(on: machine)
            try await machine.shell(leftover.done)
            let found = try await found(on: machine, baseline: digest)
            #expect(found.contains { $0.contains(leftover.said) }, "\(leftover.done): \(found)")
            #expect(found.count <= 3, "\(leftover.done): \(found)")
            try await machine.reinstall(image)
        }
    }

    /// What packages bring, and what a machine does by itself, is nobody's leftover; what a package does not account for is.
    @Test func packagesAreAccountedFor() async throws {
        let machine = try await TestMachine()
        let digest = try await take(on: machine)
        // As an update does it: the same content, written anew; a list and a sum for what is new.
        try await machine.shell(
            """
            cp /usr/bin/id /usr/bin/id.new && mv /usr/bin/id.new /usr/bin/id && chmod 755 /usr/bin/id
            mkdir -p /usr/lib/newer && echo content > /usr/lib/newer/file
            printf '/usr/lib/newer\\n/usr/lib/newer/file\\n' >> /var/lib/dpkg/info/coreutils.list
            echo "$(md5sum < /usr/lib/newer/file | cut -d ' ' -f 1)  usr/lib/newer/file" >> /var/lib/dpkg/info/coreutils.md5sums
            echo x >> /var/log/dpkg.log; touch /var/lib/systemd/random-seed; echo x >> /root/.bash_history
            """)
        let updated = try await found(on: machine, baseline: digest)
        #expect(updated == [])
        let again = try await take(on: machine)
        // A package of the tenant's is one too many, with all that it brings.
        try await machine.shell(
            """
            printf 'Package: miner\\nStatus: install ok installed\\nMaintainer: x\\nArchitecture: all\\nVersion: 1\\nDescription: x\\n\\n' >> /var/lib/dpkg/status
            """)
        let miner = try await found(on: machine, baseline: again)
        #expect(miner == ["package miner"])
    }

    @Test func aJoinUnderWayListsNothing() async throws {
        let machine = try await TestMachine()
        try await machine.shell("mkdir -p /etc/nestbox && touch /etc/nestbox/sysctl.before")
        #expect(try await run([Baseline.take(isTaken: false)], on: machine) == [:])
    }

    @Test func tracesAreWiped() async throws {
        let machine = try await TestMachine()
        try await machine.shell(
            """
            mkdir -p /etc/nestbox /var/lib/systemd/coredump /var/log/app /tmp/systemd-private-x
            echo old > /tmp/old; echo old > /var/log/old.log
            sleep 0.1; echo x > /etc/nestbox/preflight; sleep 0.1
            mkdir /tmp/new; echo new > /tmp/new/file; touch -d 2001-01-01 /tmp/new/file; echo new > /var/tmp/new; echo new > /dev/shm/new
            echo new > /tmp/systemd-private-x/file; echo core > /var/lib/systemd/coredump/core.1
            echo new > /var/log/app/new.log; echo new > /var/log/app/new.log.1; echo new >> /var/log/app/x.gz
            """)
        _ = try await run([CleanTraces.wipe], on: machine)
        let left = try await machine.shell(
            "find /tmp /var/tmp /dev/shm /var/lib/systemd/coredump /var/log/app -type f -printf '%p %s\\n' | sort; cat /var/log/old.log")
        #expect(left == "/tmp/old 4\n/tmp/systemd-private-x/file 4\n/var/log/app/new.log 0\nold\n")
        #expect(try await machine.shell("ls -d /tmp/new 2>/dev/null; true") == "")
    }
}
