/// What an image needs beside its program: users, name lookup, somewhere to write, certificates.
enum BaseFiles {
    static let standard: [ImageFile] = [
        ImageFile("/etc/passwd", .text(passwd)),
        ImageFile("/etc/group", .text(group)),
        ImageFile("/etc/nsswitch.conf", .text("passwd: files\ngroup: files\nhosts: files dns\n")),
        ImageFile("/tmp", .directory, mode: 0o1777),
        ImageFile("/run", .directory),
        ImageFile("/var/run", .symbolicLink(to: "/run")),
    ]

    private static let passwd = """
        root:x:0:0:root:/root:/sbin/nologin
        nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
        nonroot:x:65532:65532:nonroot:/nonexistent:/sbin/nologin

        """
    private static let group = """
        root:x:0:
        nobody:x:65534:
        nonroot:x:65532:

        """

    /// This computer's certificate authorities; empty where it has none.
    static func localCertificates() -> [ImageFile] {
        let bundle = "/etc/ssl/certs/ca-certificates.crt"
        return FileSystem.exists(bundle) ? [ImageFile(bundle, .copy(of: bundle))] : []
    }

    /// Debian's certificate authorities, from its unpacked package.
    static func certificates(from sysroot: Sysroot) throws -> [ImageFile] {
        let folder = "\(sysroot.root)/usr/share/ca-certificates/mozilla"
        let bundle = try FileSystem.names(in: folder).map { try FileSystem.text("\(folder)/\($0)") }.joined()
        return [ImageFile("/etc/ssl/certs/ca-certificates.crt", .text(bundle))]
    }
}
