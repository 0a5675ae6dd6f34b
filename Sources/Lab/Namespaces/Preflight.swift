import Glibc

/// What this computer has to have before anything is touched.
enum Preflight {
    static func check(cache: String) throws {
        guard geteuid() == 0 else {
            throw LabError("a lab makes namespaces, mounts and control groups, and needs root: run it again with sudo")
        }
        let missing = packages.filter { !Command.isInstalled($0.program) }
        guard missing.isEmpty else {
            let names = Set(missing.map(\.package)).sorted().joined(separator: " ")
            throw LabError("the lab needs \(missing.map(\.program).joined(separator: ", ")): apt-get install --yes \(names)")
        }
        try Files.createFolder(cache)
        if MountTable(try Files.text("/proc/self/mountinfo")).fileSystem(of: cache) == "overlay" {
            throw LabError(
                "\(cache) is on an overlay file system, and the lab's containers and machines need overlays of their own on top: set NESTBOX_CACHE to a folder on a real disk"
            )
        }
        guard Files.exists("/sys/fs/cgroup/cgroup.controllers") || !Files.names(in: "/sys/fs/cgroup").isEmpty else {
            throw LabError("/sys/fs/cgroup is empty: the lab needs mounted control groups, version 1 or 2")
        }
    }

    private static let packages = [
        ("ip", "iproute2"), ("unshare", "util-linux"), ("nsenter", "util-linux"), ("pivot_root", "util-linux"), ("mount", "mount"),
        ("ssh-keygen", "openssh-client"), ("awk", "mawk"), ("bash", "bash"), ("ps", "procps"),
    ].map { (program: $0.0, package: $0.1) }
}
