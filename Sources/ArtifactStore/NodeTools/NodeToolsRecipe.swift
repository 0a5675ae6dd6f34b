/// Lays the unpacked packages out as a worker machine has them in `/opt/nestbox`.
///
/// Programs that need more than the C library lie in `libexec`, their libraries in `lib`, and a small script in `bin` brings
/// the two together: nothing is installed into the machine's own folders, and its own libraries are not touched.
struct NodeToolsRecipe: Sendable {
    let sysroot: Sysroot

    /// Needs the C library alone, or nothing.
    private static let plain = ["/usr/bin/containerd", "/usr/bin/containerd-shim-runc-v2", "/usr/bin/ctr"]
    private static let wrapped = ["/usr/sbin/runc", "/usr/sbin/conntrack", "/usr/bin/socat", "/usr/sbin/ethtool"]
    private static let packetFilter = ["/usr/sbin/xtables-nft-multi", "/usr/sbin/xtables-legacy-multi"]

    /// Makes `folder/root` and `folder/node-tools.tar`.
    func install(into folder: String) async throws {
        let sysroot = self.sysroot
        let root = "\(folder)/root"
        let modules = try await offPool { try sysroot.files(below: "/usr/lib/\(sysroot.architecture.multiarchFolder)/xtables") }
        let wrapped = try (Self.wrapped + Self.packetFilter).map { try sysroot.file($0) }
        let libraries = try await LibraryClosure.ofPrograms(wrapped + modules.map(\.source), in: sysroot).filter { !$0.isCLibrary }
        try await offPool {
            for name in ["bin", "lib/xtables", "libexec", "cni"] { try FileSystem.createFolder("\(root)/\(name)") }
            for program in Self.plain {
                try FileSystem.copy(try sysroot.file(program), to: "\(root)/bin/\(Self.name(program))", mode: 0o755)
            }
            for program in wrapped { try FileSystem.copy(program, to: "\(root)/libexec/\(Self.name(program))", mode: 0o755) }
            for library in libraries { try FileSystem.copy(library.path, to: "\(root)/lib/\(library.name)", mode: 0o644) }
            for module in modules { try FileSystem.copy(module.source, to: "\(root)/lib/xtables/\(Self.name(module.place))", mode: 0o644) }
            for plugin in try sysroot.files(below: "/usr/lib/cni") {
                try FileSystem.copy(plugin.source, to: "\(root)/cni/\(Self.name(plugin.place))", mode: 0o755)
            }
            for (name, script) in Self.scripts { try FileSystem.write(script, to: "\(root)/bin/\(name)", mode: 0o755) }
            let versions = sysroot.packages.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
            try FileSystem.write(versions, to: "\(folder)/PACKAGES")
            let told = ["containerd", "runc", "containernetworking-plugins", "iptables"].map { "\($0) \(sysroot.packages[$0] ?? "?")" }
            try FileSystem.write("Debian's \(told.joined(separator: ", "))\n", to: "\(folder)/ORIGIN")
            try Self.writeTar(of: root, to: "\(folder)/node-tools.tar")
        }
    }

    /// The scripts of `bin`, by name.
    static var scripts: [String: String] {
        var scripts: [String: String] = [:]
        for program in wrapped.map(name) { scripts[program] = script("$root/libexec/\(program)") }
        for command in PacketFilterFiles.commands {
            scripts[command] = script("$root/libexec/xtables-nft-multi \(command)")
            scripts[command.replacingFirst("tables", with: "tables-legacy")] = script("$root/libexec/xtables-legacy-multi \(command)")
        }
        return scripts
    }

    /// No process is started but the program itself: iptables is called often.
    private static func script(_ command: String) -> String {
        """
        #!/bin/sh
        root=${0%/*}/..
        [ -d "$root/libexec" ] || root=/opt/nestbox
        LD_LIBRARY_PATH=$root/lib XTABLES_LIBDIR=$root/lib/xtables exec \(command.replacingFirst("$root", with: "\"$root\"")) "$@"

        """
    }

    private static func writeTar(of root: String, to path: String) throws {
        let files = FileSystem.filesBelow(root).map { relative in
            let executable = FileSystem.isExecutable("\(root)/\(relative)")
            return ImageFile("/\(relative)", .copy(of: "\(root)/\(relative)"), mode: executable ? 0o755 : 0o644)
        }
        var tar = TarWriter(try FileSink(creating: path))
        for entry in try ImageFile.entries(of: files) { try tar.add(entry) }
        try tar.finish()
    }

    private static func name(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
}
