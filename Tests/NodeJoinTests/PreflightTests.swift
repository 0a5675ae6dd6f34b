import Foundation
import SSHClient
import Testing

@testable import NodeJoin

/// The preflight's decisions, with the machine's programs replaced by shell functions.
struct PreflightTests {
    /// What `problem` was told.
    private func problems(_ parts: String, machine: String) async throws -> [String] {
        let text = """
            set -eu
            now=1000000000
            problem() { echo "$*"; }
            report() { :; }
            \(machine)
            \(parts)
            """
        let result = try await LocalShell().run(text, timeout: .seconds(10))
        #expect(result.status == 0, "\(result.errorText)")
        return result.text.split(separator: "\n").map(String.init)
    }

    private func networkProblems(addresses: String = "", routes: String = "", neighbours: String = "") async throws -> [String] {
        let folder = NSTemporaryDirectory() + "nestbox-preflight-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let script = PreflightStep.networks(JoinParameters.example().network)
            .replacingOccurrences(of: "/run/nestbox-networks", with: folder + "/networks")
            .replacingOccurrences(of: "/etc/resolv.conf /run/systemd/resolve/resolv.conf", with: "/dev/null")
        return try await problems(
            script,
            machine: """
                ip() {
                    case $* in
                    *addr*) printf '%s' '\(addresses)' ;;
                    *route*) printf '%s' '\(routes)' ;;
                    *neigh*) printf '%s' '\(neighbours)' ;;
                    esac
                }
                """)
    }

    @Test func aMachineOnAnotherNetworkPasses() async throws {
        let found = try await networkProblems(
            addresses: "1: lo    inet 127.0.0.1/8 scope host lo\n2: eth0    inet 192.0.2.17/24 brd 192.0.2.255 scope global eth0\n",
            routes: "default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0 proto kernel\nlocal 127.0.0.0/8 dev lo table local\n",
            neighbours: "192.0.2.1 dev eth0 lladdr 02:00:00:00:00:01 REACHABLE\n")
        #expect(found == [])
    }

    @Test func clashesAreNamedWithBothSides() async throws {
        #expect(
            try await networkProblems(addresses: "2: eth0    inet 172.20.0.1/32 scope global eth0\n")
                == ["the cluster's nodeLocalAPIAddress 172.20.0.1/32 clashes with its address 172.20.0.1/32 on eth0"])
        #expect(
            try await networkProblems(routes: "172.16.0.0/12 via 192.0.2.9 dev eth0\n")
                == ["the cluster's nodeLocalAPIAddress 172.20.0.1/32 clashes with its route to 172.16.0.0/12"])
        #expect(
            try await networkProblems(routes: "default via 10.244.255.254 dev eth0\n")
                == ["the cluster's pod network 10.244.0.0/16 clashes with its gateway 10.244.255.254"])
        #expect(
            try await networkProblems(neighbours: "10.111.255.255 dev eth0 STALE\n")
                == ["the cluster's service network 10.96.0.0/12 clashes with its neighbour 10.111.255.255"])
        #expect(try await networkProblems(neighbours: "10.112.0.0 dev eth0 STALE\n10.95.255.255 dev eth0 STALE\n") == [])
    }

    @Test(arguments: [
        (1_000_000_000, []), (1_000_000_060, []), (1_000_000_061, ["its clock is 61 s ahead of ours"]),
        (999_999_900, ["its clock is 100 s behind ours"]),
    ])
    func aClockThatIsOffIsToldWithItsDirection(_ theirs: Int, _ expected: [String]) async throws {
        let found = try await problems(PreflightStep.clock(MachineRequirements()), machine: "date() { echo \(theirs); }")
        #expect(found == expected)
    }
}
