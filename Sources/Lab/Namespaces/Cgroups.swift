import Glibc

/// The lab's control groups, in every hierarchy of cgroup v1 or in the one of v2.
struct Cgroups: Sendable {
    let name: String
    var root = "/sys/fs/cgroup"

    /// The lab's group in each hierarchy that has one.
    var groups: [String] {
        let folders = Files.exists("\(root)/cgroup.controllers") ? [root] : Files.names(in: root).map { "\(root)/\($0)" }
        return folders.filter { Files.isFolder($0) }.map { "\($0)/\(name)" }.filter { Files.isFolder($0) }
    }

    /// Every group below these and themselves, the deepest first.
    var tree: [String] { groups.flatMap(Self.below) }

    private static func below(_ group: String) -> [String] {
        Files.names(in: group).map { "\(group)/\($0)" }.filter { Files.isFolder($0) }.flatMap(below) + [group]
    }

    /// The processes in them.
    func processes() throws -> Set<pid_t> {
        var all: Set<pid_t> = []
        for group in tree {
            let list = try Files.text(ifThere: "\(group)/cgroup.procs") ?? ""
            // A process that cannot be named here (of another process namespace) reads as 0.
            all.formUnion(list.split(whereSeparator: \.isNewline).compactMap { pid_t($0) }.filter { $0 > 0 })
        }
        return all
    }

    /// Ends every process in them and removes them. Nothing of the lab survives that.
    func removeAll() async throws {
        let gone = try await Wait.until(.seconds(20)) {
            try await offPool {
                for process in try processes() where process != getpid() { kill(process, SIGKILL) }
                for group in tree { rmdir(group) }
                return groups.isEmpty
            }
        }
        guard gone else {
            let left = try await offPool { (try processes().sorted(), groups) }
            throw LabError(
                "the control groups \(left.1.joined(separator: ", ")) cannot be removed; processes still in them: \(left.0.map(String.init).joined(separator: ", "))"
            )
        }
    }
}
