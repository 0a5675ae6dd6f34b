/// etcd of Debian's package: two programs, and an image that has the C library beside them.
struct EtcdImage: Sendable {
    let sysroot: Sysroot
    let version: String

    static func reference(_ version: String) -> String { "registry.k8s.io/etcd:\(version)-0" }

    func install(into folder: String) async throws {
        let programs = try ["/usr/bin/etcd", "/usr/bin/etcdctl"].map { try sysroot.file($0) }
        let libraries = try await LibraryClosure.ofPrograms(programs, in: sysroot)
        let names = ["etcd", "etcdctl"]
        let origin = "Debian's etcd-server \(sysroot.packages["etcd-server"] ?? "")\n"
        try await offPool {
            try FileSystem.createFolder("\(folder)/bin")
            try FileSystem.createFolder("\(folder)/images")
            try FileSystem.write(origin, to: "\(folder)/ORIGIN")
            for (name, source) in zip(names, programs) { try FileSystem.copy(source, to: "\(folder)/bin/\(name)", mode: 0o755) }
        }
        let image = ImageBuilder(
            reference: Self.reference(version), architecture: sysroot.architecture, entrypoint: ["/usr/local/bin/etcd"],
            files: BaseFiles.standard
                + libraries.map { .executable($0.imagePath(sysroot.architecture), copyOf: $0.path) }
                + names.map { .executable("/usr/local/bin/\($0)", copyOf: "\(folder)/bin/\($0)") })
        _ = try await image.write(to: "\(folder)/images/etcd.tar")
    }
}
