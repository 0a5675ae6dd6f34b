import FoundationEssentials
import Glibc

/// The root file system that all machines share read-only: plain Debian that answers SSH, and nothing more.
struct MachineRootfs: Sendable {
    let cache: String

    /// What makes the recipe another one goes into its name: a changed recipe is built anew, beside the old.
    static let packages = [
        "systemd", "systemd-sysv", "dbus", "openssh-server", "iproute2", "procps", "sudo", "kmod", "ca-certificates", "curl",
    ]

    /// Run by mmdebstrap in the finished root, `$1`: every machine makes keys, id and name of its own.
    static let customization = #"""
        rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname && \
        : > "$1"/etc/machine-id && : > "$1"/etc/resolv.conf && \
        ln -s /dev/null "$1"/etc/systemd/system/console-getty.service
        """#

    var recipe: String {
        let text = ([suite] + Self.packages + [Self.customization]).joined(separator: "\n")
        return "\(suite)-" + String(LabName.hash(text), radix: 16)
    }

    var place: String { LabPaths.rootfs(cache: cache, recipe: recipe) }

    /// Debian's release whose machines these are. The tools that are pushed to them are of this computer's release.
    private let suite: String

    init(cache: String) throws {
        self.cache = cache
        let release = try Files.text(ifThere: "/etc/os-release") ?? ""
        suite = Self.suite(osRelease: release) ?? "bookworm"
    }

    /// The code name of a Debian; nil on anything else.
    static func suite(osRelease: String) -> String? {
        let pairs = osRelease.split(whereSeparator: \.isNewline).map { $0.split(separator: "=", maxSplits: 1) }.filter { $0.count == 2 }
        let values = Dictionary(pairs.map { (String($0[0]), $0[1].filter { $0 != "\"" }) }, uniquingKeysWith: { $1 })
        return values["ID"] == "debian" ? values["VERSION_CODENAME"] : nil
    }

    /// Builds it unless it is there; the folder.
    func ensure(note: (String) -> Void) async throws -> String {
        if Files.exists("\(place)/etc/debian_version") { return place }
        return try await FileLock.holding(
            "\(cache)/locks/lab-rootfs.lock", waiting: { note("waiting for another lab that makes the machines' root") }
        ) {
            if Files.exists("\(place)/etc/debian_version") { return place }
            guard Command.isInstalled("mmdebstrap") else {
                throw LabError("the machines' root is made by mmdebstrap: apt-get install --yes mmdebstrap")
            }
            note("building Debian \(suite) for the machines; it is kept for the next lab")
            let parent = LabPaths.rootfs(cache: cache, recipe: "")
            // Of a run that was killed: its mmdebstrap may still be writing, so the next one works elsewhere.
            for name in Files.names(in: parent) where name.contains(".partial.") { try await remove("\(parent)\(name)") }
            let partial = "\(place).partial.\(getpid())"
            try await offPool { try Files.createFolder(parent) }
            let sources = try await offPool { try AptMirrors.ofThisComputer(suite: suite) }
            var arguments = [
                "--variant=minbase", "--mode=root", "--include=\(Self.packages.joined(separator: ","))",
                "--aptopt=Acquire::Retries \"5\"", "--aptopt=Acquire::Languages \"none\"",
                "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
                "--customize-hook=\(Self.customization)", suite, partial,
            ]
            arguments += sources
            do {
                try await Command.output("mmdebstrap", arguments, environment: Self.proxies, purpose: "building the machines' root")
            } catch {
                try await remove(partial)
                throw error
            }
            guard rename(partial, place) == 0 else { throw LabError("\(place): cannot put it in place: \(Files.systemError())") }
            return place
        }
    }

    private func remove(_ folder: String) async throws {
        try await Command.output("rm", ["-rf", "--one-file-system", folder], purpose: "removing \(folder)")
    }

    /// apt's downloads go the way that the user's do.
    private static var proxies: [String: String] {
        ProcessInfo.processInfo.environment.filter { ["http_proxy", "https_proxy", "no_proxy"].contains($0.key.lowercased()) }
    }
}
