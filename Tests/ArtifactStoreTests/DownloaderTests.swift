import Testing

@testable import ArtifactStore

@Suite struct DownloaderTests {
    private let downloader = Downloader(
        connectTimeout: .seconds(2), stallTimeout: .seconds(2), attempts: 3, firstPause: .milliseconds(5))

    private func serving<T>(_ body: (FileServer, String) async throws -> T) async throws -> T {
        let server = try FileServer()
        defer { server.stop() }
        return try await withScratch { try await body(server, $0) }
    }

    @Test func bringsAFileWithItsChecksum() async throws {
        try await serving { server, folder in
            let bytes = someBytes(300_000)
            server.change { $0.files["/kubelet"] = bytes }
            try await downloader.download("\(server.url)/kubelet", to: "\(folder)/kubelet", sha256: sha256(bytes))
            #expect(try FileSystem.read("\(folder)/kubelet") == bytes)
            #expect(server.requests.count == 1)
        }
    }

    @Test func goesOnWhereACutConnectionEnded() async throws {
        try await serving { server, folder in
            let bytes = someBytes(300_000)
            server.change {
                $0.files["/kubelet"] = bytes
                $0.cuts["/kubelet"] = [100_000, 50_000]
            }
            try await downloader.download("\(server.url)/kubelet", to: "\(folder)/kubelet", sha256: sha256(bytes))
            #expect(try FileSystem.read("\(folder)/kubelet") == bytes)
            #expect(server.requests.map(\.rangeStart) == [nil, 100_000, 150_000])
        }
    }

    @Test func goesOnWithWhatAnEarlierRunLeft() async throws {
        try await serving { server, folder in
            let bytes = someBytes(300_000)
            server.change { $0.files["/kubelet"] = bytes }
            var sink = try FileSink(creating: "\(folder)/kubelet")
            try sink.write(Array(bytes[..<200_000]))
            try await downloader.download("\(server.url)/kubelet", to: "\(folder)/kubelet", sha256: sha256(bytes))
            #expect(try FileSystem.read("\(folder)/kubelet") == bytes)
            #expect(server.requests.map(\.rangeStart) == [200_000])
        }
    }

    @Test func beginsAnewWhereTheServerKnowsNoRanges() async throws {
        try await serving { server, folder in
            let bytes = someBytes(300_000)
            server.change {
                $0.files["/kubelet"] = bytes
                $0.cuts["/kubelet"] = [100_000]
                $0.knowsRanges = false
            }
            try await downloader.download("\(server.url)/kubelet", to: "\(folder)/kubelet", sha256: sha256(bytes))
            #expect(try FileSystem.read("\(folder)/kubelet") == bytes)
        }
    }

    @Test func aWholeFileLeftBehindIsNotTrustedBlindly() async throws {
        try await serving { server, folder in
            let bytes = someBytes(1000)
            server.change { $0.files["/kubelet"] = bytes }
            // As long as the file, and another file: the range is refused, and it is fetched from the start.
            var sink = try FileSink(creating: "\(folder)/kubelet")
            try sink.write(someBytes(1000, seed: 7))
            try await downloader.download("\(server.url)/kubelet", to: "\(folder)/kubelet", sha256: sha256(bytes))
            #expect(try FileSystem.read("\(folder)/kubelet") == bytes)
        }
    }

    @Test func refusesAWrongChecksum() async throws {
        try await serving { server, folder in
            server.change { $0.files["/kubelet"] = someBytes(1000) }
            let error = await #expect(throws: ArtifactError.self) {
                try await downloader.download("\(server.url)/kubelet", to: "\(folder)/kubelet", sha256: String(repeating: "0", count: 64))
            }
            #expect(error?.kind == .checksumMismatch)
            #expect(error?.message.contains(sha256(someBytes(1000))) == true)
            #expect(!FileSystem.exists("\(folder)/kubelet"))
        }
    }

    @Test(arguments: [500, 503, 429])
    func triesAgainWhenTheServerIsInTrouble(status: Int) async throws {
        try await serving { server, folder in
            let bytes = someBytes(1000)
            server.change {
                $0.files["/kubelet"] = bytes
                $0.statuses["/kubelet"] = [status]
            }
            try await downloader.download("\(server.url)/kubelet", to: "\(folder)/kubelet", sha256: sha256(bytes))
            #expect(server.requests.count == 2)
        }
    }

    @Test func givesUpOnAServerThatStaysInTrouble() async throws {
        try await serving { server, folder in
            server.change { $0.statuses["/kubelet"] = [500, 500, 500, 500] }
            let error = await #expect(throws: ArtifactError.self) {
                try await downloader.download("\(server.url)/kubelet", to: "\(folder)/kubelet", sha256: nil)
            }
            #expect(error?.kind == .notAvailable)
            #expect(error?.message.contains("after 3 attempts") == true)
            #expect(server.requests.count == 3)
        }
    }

    @Test func saysAtOnceWhatIsNotThere() async throws {
        try await serving { server, folder in
            let error = await #expect(throws: ArtifactError.self) {
                try await downloader.download("\(server.url)/kubelet", to: "\(folder)/kubelet", sha256: nil)
            }
            #expect(error == ArtifactError(.notAvailable, "\(server.url)/kubelet is not there"))
            #expect(server.requests.count == 1)
        }
    }

    @Test func saysAtOnceThatNobodyListens() async throws {
        try await serving { server, folder in
            let url = server.url
            server.stop()
            let error = await #expect(throws: ArtifactError.self) {
                try await downloader.download("\(url)/kubelet", to: "\(folder)/kubelet", sha256: nil)
            }
            #expect(error?.message.contains("cannot be reached") == true)
        }
    }

    @Test func goesThroughAProxy() async throws {
        try await serving { server, folder in
            let bytes = someBytes(1000)
            server.change { $0.files["/release/kubelet"] = bytes }
            var downloader = self.downloader
            downloader.proxy = server.url
            try await downloader.download("http://release.invalid/release/kubelet", to: "\(folder)/kubelet", sha256: sha256(bytes))
            #expect(server.requests.map(\.target) == ["http://release.invalid/release/kubelet"])
        }
    }

    @Test func showsNoPasswords() {
        #expect(Downloader.shown("http://user:secret@mirror:80/a@b") == "http://mirror:80/a@b")
        #expect(Downloader.shown("https://mirror/a") == "https://mirror/a")
    }
}
