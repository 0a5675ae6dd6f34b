import Testing

@testable import ArtifactStore

@Suite struct TarWriterTests {
    private func tar(_ entries: [TarEntry]) throws -> [UInt8] {
        var writer = TarWriter(MemorySink())
        for entry in entries { try writer.add(entry) }
        try writer.finish()
        return writer.sink.bytes
    }

    @Test func headerIsWhatTarWrites() throws {
        let block = try TarHeader(TarEntry(path: "bin/sh", mode: 0o755, content: .data([1, 2, 3]))).block()
        func field(_ offset: Int, _ length: Int) -> String {
            String(decoding: block[offset..<offset + length].prefix { $0 != 0 }, as: UTF8.self)
        }
        #expect(field(0, 100) == "bin/sh")
        #expect(field(100, 8) == "0000755")
        #expect(field(124, 12) == "00000000003")
        #expect(field(136, 12) == "00000000000")
        #expect(field(156, 1) == "0")
        #expect(field(257, 6) == "ustar")
        var unsigned = block
        for index in 148..<156 { unsigned[index] = 32 }
        #expect(Int(field(148, 6), radix: 8) == unsigned.reduce(0) { $0 + Int($1) })
    }

    @Test func sizeIsKnownBeforeWriting() throws {
        let entries = [
            TarEntry(path: "a", mode: 0o755, content: .directory), TarEntry(path: "a/b", mode: 0o644, content: .data(someBytes(513))),
            TarEntry(path: "a/c", mode: 0o777, content: .symbolicLink("b")), TarEntry(path: "a/d", mode: 0o644, content: .data([])),
        ]
        #expect(try tar(entries).count == TarWriter<MemorySink>.size(of: entries))
    }

    @Test func longPathsAreSplitAtASlash() throws {
        let folder = String(repeating: "f", count: 90)
        let block = try TarHeader(TarEntry(path: "\(folder)/\(folder)", mode: 0o644, content: .data([]))).block()
        #expect(String(decoding: block[0..<90], as: UTF8.self) == folder && block[90] == 0)
        #expect(String(decoding: block[345..<435], as: UTF8.self) == folder)
        #expect(throws: ArtifactError.self) {
            try TarHeader(TarEntry(path: String(repeating: "f", count: 200), mode: 0o644, content: .data([]))).block()
        }
    }

    @Test func systemTarReadsIt() async throws {
        try await withScratch { folder in
            let bytes = try tar([
                TarEntry(path: "bin", mode: 0o755, content: .directory),
                TarEntry(path: "bin/tool", mode: 0o755, content: .data(Array("hello".utf8))),
                TarEntry(path: "bin/other", mode: 0o777, content: .symbolicLink("tool")),
            ])
            var sink = try FileSink(creating: "\(folder)/a.tar")
            try sink.write(bytes)
            let listing = try await Command.output("tar", ["tvf", "\(folder)/a.tar", "--utc"], purpose: "reading a tar")
            #expect(listing.contains("-rwxr-xr-x root/root         5 1970-01-01 00:00 bin/tool"))
            #expect(listing.contains("bin/other -> tool"))
        }
    }

    @Test func aFileThatChangesIsNoticed() async throws {
        try await withScratch { folder in
            try FileSystem.write("12345", to: "\(folder)/f")
            #expect(throws: ArtifactError.self) {
                try tar([TarEntry(path: "f", mode: 0o644, content: .file(path: "\(folder)/f", size: 4))])
            }
        }
    }
}
