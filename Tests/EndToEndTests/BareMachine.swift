import Foundation
import TestCommands
import Testing

/// What a machine is like, by the test's own code: it shares nothing with what joins, cleans and checks machines.
struct BareMachine {
    let lines: Set<String>

    /// What differs although nothing is left, each with its reason.
    static let allowed = [
        // Made anew on purpose; a test of its own holds the new ones against the old ones.
        "/etc/ssh/ssh_host_",
        // Logs are emptied and go on, and belong to no tenant.
        " ./var/log/", " ./var/cache/ldconfig/",
        // systemd's own clock, timers and random seed; it touches the other two at boot.
        " ./var/lib/systemd/", " ./etc/.pwd.lock", " ./etc/machine-id",
        // systemd's folders for its services have a new name after every boot.
        " ./var/tmp $", " ./tmp $", "systemd-private",
        // Of somebody who is logged in: this test.
        "unit run-", "unit session-", "unit user",
        // The judge's own, and systemd's that come and go.
        "process .*(sshd: |/bin/sh|systemd-|sleep |find |sort |awk |sed |cat |xargs|ps |sha256sum|ip |dbus|sysctl)",
        // Units of systemd's and of timers that come and go.
        "unit systemd-", "unit dbus", "unit apt-", "unit dpkg-", "unit e2scrub", "unit fstrim", "unit logrotate", "unit man-db",
        "unit .*device", "unit sys-", "unit dev-", "unit proc-", "unit run-lock",
        "cgroup .*(system.slice|user.slice|init.scope)",
        // What the kernel counts and draws.
        "net.netfilter.nf_conntrack_count", "net.ipv4.neigh", "net.ipv6.neigh", "stat_refresh", "random", "uuid", "tcp_fastopen_key",
        "nf_conntrack_buckets", "lo.disable_policy",
    ]

    private static let script = #"""
        export LC_ALL=C
        cd /
        places=". ./opt ./var/lib/containerd ./var/lib/kubelet"
        find $places -xdev \( -path ./run -o -path ./tmp/systemd-private-* -o -path ./proc -o -path ./sys -o -path ./dev \) -prune -o -type f -print0 |
            sort -zu | xargs -0 sha256sum | sed 's/  / /'
        find $places -xdev \( -path ./run -o -path ./proc -o -path ./sys -o -path ./dev \) -prune -o -printf '%y %M %U:%G %p %l\n' | sort -u
        ls -A /run | sed 's/^/run /'
        dpkg-query -W -f 'package ${Package} ${Version} ${db:Status-Abbrev}\n'
        systemctl list-units --all --plain --no-legend | awk '$3 == "active" || $3 == "failed" { print "unit", $1, $3 }'
        systemctl list-unit-files --no-legend | awk '{ print "unit file", $1, $2 }'
        ps -eo args= | sed 's/^/process /' | sort -u
        awk '{ print "mount", $5 }' /proc/self/mountinfo
        ip -o link | awk '{ print "link", $2 }'
        ip -o addr | awk '{ print "address", $2, $4 }'
        ip route show table all | grep -v '^ff00\|fe80' | sed 's/^/route /'
        ip rule | sed 's/^/routing rule /'
        find /sys/fs/cgroup -type d | sed 's/^/cgroup /'
        sysctl -a 2> /dev/null | grep '^net' | sed 's/^/sysctl /'
        # A kernel that has everything built in has no such file.
        cat /proc/modules 2> /dev/null | awk '{ print "module", $1 }'
        """#

    /// What its packet filter holds is read from outside: it has no program for that.
    private static let rules = """
        for program in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save; do
            $program 2> /dev/null | grep -v '^#' | sed "s/ \\[.*//; s/^/rule of $program: /" || true
        done
        nft list ruleset 2> /dev/null | sed 's/^/nft: /' || true
        """

    init(_ machine: String, in lab: TestLab) async throws {
        let inside = try await lab.onMachine(machine, Self.script)
        let outside = try await lab.onHost("ip netns exec \(machine) sh -c '\(Self.rules.replacingOccurrences(of: "'", with: "'\\''"))'")
        lines = Set((inside + outside).split(separator: "\n").map(String.init))
    }

    /// What the other has more or less than this one, but for what is allowed.
    func differences(to other: BareMachine) throws -> [String] {
        let allowed = try Self.allowed.map { try Regex($0) }
        let all = other.lines.subtracting(lines).map { "new: \($0)" } + lines.subtracting(other.lines).map { "gone: \($0)" }
        return all.filter { line in !allowed.contains { line.contains($0) } }.sorted()
    }
}
