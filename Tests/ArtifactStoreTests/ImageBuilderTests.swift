import FoundationEssentials
import Testing

@testable import ArtifactStore

@Suite struct ImageBuilderTests {
    private struct Document: Decodable {
        struct Descriptor: Decodable {
            var digest: String
            var size: Int
            var annotations: [String: String]?
        }
        var manifests: [Descriptor]?
        var config: Descriptor?
        var layers: [Descriptor]?
    }

    private func files(_ tar: [UInt8]) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        var offset = 0
        while offset + 512 <= tar.count, tar[offset] != 0 {
            let name = String(decoding: tar[offset..<offset + 100].prefix { $0 != 0 }, as: UTF8.self)
            let size = Int(String(decoding: tar[offset + 124..<offset + 135], as: UTF8.self), radix: 8) ?? 0
            files[name] = Array(tar[offset + 512..<offset + 512 + size])
            offset += 512 + (size + 511) / 512 * 512
        }
        return files
    }

    private let builder = ImageBuilder(
        reference: "nestbox.dev/test:1", architecture: .amd64, entrypoint: ["/bin/a"], user: "65532:65532",
        files: [
            ImageFile("/etc/x/y", .text("y")), ImageFile("/bin/a", .text("a"), mode: 0o755), ImageFile("/bin/b", .symbolicLink(to: "a")),
        ])

    @Test func everyDigestIsThatOfItsBlob() async throws {
        try await withScratch { folder in
            let image = try await builder.write(to: "\(folder)/image.tar")
            #expect(image.reference == "nestbox.dev/test:1")
            #expect(image.sha256 == (try FileSystem.digest(image.path)))
            #expect(image.size == FileSystem.size(image.path))
            let blobs = files(try FileSystem.read(image.path))
            #expect(blobs["oci-layout"] == Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
            for (name, bytes) in blobs where name.hasPrefix("blobs/") { #expect(name == "blobs/sha256/\(sha256(bytes))") }

            func decode(_ bytes: [UInt8]?) throws -> Document { try JSONDecoder().decode(Document.self, from: Data(try #require(bytes))) }
            func blob(_ descriptor: Document.Descriptor?) throws -> [UInt8] {
                let descriptor = try #require(descriptor)
                let bytes = try #require(blobs["blobs/sha256/" + descriptor.digest.dropFirst(7)])
                #expect(bytes.count == descriptor.size)
                return bytes
            }
            let index = try #require(try decode(blobs["index.json"]).manifests?.first)
            #expect(index.annotations?["io.containerd.image.name"] == "nestbox.dev/test:1")
            let manifest = try decode(try blob(index))
            let layer = try blob(manifest.layers?.first)
            let configuration = String(decoding: try blob(manifest.config), as: UTF8.self)
            #expect(
                configuration == #"""
                    {"architecture":"amd64","config":{"Entrypoint":["/bin/a"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"User":"65532:65532","WorkingDir":"/"},"os":"linux","rootfs":{"diff_ids":["sha256:\#(sha256(layer))"],"type":"layers"}}
                    """#)
            #expect(files(layer).keys.sorted() == ["bin/", "bin/a", "bin/b", "etc/", "etc/x/", "etc/x/y"])
        }
    }

    @Test func theSameFilesMakeTheSameBytes() async throws {
        try await withScratch { folder in
            var shuffled = builder
            shuffled.files.reverse()
            let first = try await builder.write(to: "\(folder)/1.tar")
            let second = try await shuffled.write(to: "\(folder)/2.tar")
            #expect(first.sha256 == second.sha256)
        }
    }

    @Test func aMissingFileIsNamed() async throws {
        try await withScratch { folder in
            var broken = builder
            broken.files.append(ImageFile("/bin/c", .copy(of: "\(folder)/none")))
            let error = await #expect(throws: ArtifactError.self) { try await broken.write(to: "\(folder)/image.tar") }
            #expect(error?.message.contains("\(folder)/none") == true)
            #expect(FileSystem.names(in: folder).isEmpty)
        }
    }

    @Test func aProgramOfThisComputerComesWithItsLibraries() async throws {
        let image = try await ImageBuilder.executableImage(reference: "nestbox.dev/env:1", programs: ["/usr/bin/env"])
        let paths = image.files.map(\.path)
        #expect(image.entrypoint == ["/usr/local/bin/env"])
        #expect(paths.contains("/usr/lib/\(Architecture.current.multiarchFolder)/libc.so.6"))
        #expect(paths.contains(Architecture.current.loader))
        #expect(paths.contains("/etc/nsswitch.conf"))
    }

    @Test func readsWhatTheLoaderPrints() throws {
        let listing = """
            \tlinux-vdso.so.1 (0x00007ffc)
            \tlibseccomp.so.2 => /usr/lib/x86_64-linux-gnu/libseccomp.so.2 (0x00007f)
            \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)
            \t/lib64/ld-linux-x86-64.so.2 (0x00007f)
            """
        let libraries = try LibraryClosure.parse(listing, of: "/bin/x")
        #expect(libraries.map(\.name) == ["libseccomp.so.2", "libc.so.6", "/lib64/ld-linux-x86-64.so.2"])
        #expect(libraries.map(\.isCLibrary) == [false, true, true])
        #expect(libraries[0].imagePath(.amd64) == "/usr/lib/x86_64-linux-gnu/libseccomp.so.2")
        #expect(try LibraryClosure.parse("\tstatically linked\n", of: "/bin/x").isEmpty)
        let error = #expect(throws: ArtifactError.self) { try LibraryClosure.parse("\tlibx.so => not found\n", of: "/bin/x") }
        #expect(error?.message == "/bin/x needs libx.so, which is not on this computer")
    }
}
