import Glibc

extension Lab {
    /// Removes every trace of the lab but what the cache keeps for the next one.
    public func down() async throws {
        guard geteuid() == 0 else { throw LabError("removing a lab needs root: run it again with sudo") }
        try await exclusively {
            // Its data goes too, so nothing has to end in order.
            try await phase("processes, control groups and the link") { try await finishOff() }
            try await phase("files") { try await removeFiles() }
        }
    }

    private func removeFiles() async throws {
        let state = paths.state
        let mounts = try await offPool { MountTable(try Files.text("/proc/self/mountinfo")).places(below: state) }
        // There are none unless somebody made one; what is mounted there must not be deleted through it.
        for mount in mounts.reversed() {
            try await Command.output("umount", ["--lazy", mount], purpose: "unmounting \(mount)")
        }
        try await Command.output("rm", ["-rf", "--one-file-system", state], purpose: "removing the lab's files")
    }
}
