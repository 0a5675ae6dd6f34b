/// Makes an image of files: one layer, one OCI layout in one tar, the same bytes for the same files.
public struct ImageBuilder: Sendable {
    /// `registry.k8s.io/pause:3.9`
    public var reference: String
    public var architecture: Architecture
    public var entrypoint: [String]
    public var arguments: [String]
    public var environment: [String]
    /// `65532:65532`; empty is root.
    public var user: String
    public var files: [ImageFile]

    public init(
        reference: String, architecture: Architecture = .current, entrypoint: [String] = [], arguments: [String] = [],
        environment: [String] = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], user: String = "",
        files: [ImageFile] = []
    ) {
        self.reference = reference
        self.architecture = architecture
        self.entrypoint = entrypoint
        self.arguments = arguments
        self.environment = environment
        self.user = user
        self.files = files
    }

    /// Writes the archive beside `path`, then moves it there whole.
    public func write(to path: String) async throws -> ImageArchive {
        try await offPool { try writeBlocking(to: path) }
    }

    func writeBlocking(to path: String) throws -> ImageArchive {
        let entries = try ImageFile.entries(of: files)
        // Read twice, written once: the layer's digest has to stand before the layer.
        var layer = TarWriter(DigestSink())
        for entry in entries { try layer.add(entry) }
        try layer.finish()
        let layerDigest = "sha256:\(layer.sink.hexDigest)"

        let configuration = try ImageDocuments.encode(configuration(layer: layerDigest))
        let manifest = try ImageDocuments.encode(
            ImageDocuments.Manifest(
                config: .init(
                    mediaType: "application/vnd.oci.image.config.v1+json", digest: ImageDocuments.digest(configuration),
                    size: configuration.count),
                layers: [.init(mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layerDigest, size: layer.sink.size)]))
        let index = try ImageDocuments.encode(
            ImageDocuments.Index(manifests: [
                .init(
                    mediaType: "application/vnd.oci.image.manifest.v1+json", digest: ImageDocuments.digest(manifest), size: manifest.count,
                    annotations: ["io.containerd.image.name": reference, "org.opencontainers.image.ref.name": reference])
            ]))

        let partial = path + ".partial"
        var archive = TarWriter(try FileSink(creating: partial))
        try archive.add(TarEntry(path: "oci-layout", mode: 0o644, content: .data(Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))))
        try archive.add(TarEntry(path: "index.json", mode: 0o644, content: .data(index)))
        try archive.add(TarEntry(path: blob(ImageDocuments.digest(manifest)), mode: 0o644, content: .data(manifest)))
        try archive.add(TarEntry(path: blob(ImageDocuments.digest(configuration)), mode: 0o644, content: .data(configuration)))
        try archive.add(path: blob(layerDigest), size: layer.sink.size) { sink in
            var again = TarWriter(BorrowedSink(sink))
            for entry in entries { try again.add(entry) }
            try again.finish()
            sink = again.sink.sink
        }
        try archive.finish()
        try FileSystem.rename(partial, to: path)
        return ImageArchive(
            reference: reference, path: path, sha256: archive.sink.digest.hexDigest, size: archive.sink.digest.size)
    }

    private func blob(_ digest: String) -> String { "blobs/sha256/" + digest.dropFirst("sha256:".count) }

    private func configuration(layer: String) -> ImageDocuments.Configuration {
        ImageDocuments.Configuration(
            architecture: architecture.rawValue,
            config: .init(
                entrypoint: entrypoint.isEmpty ? nil : entrypoint, arguments: arguments.isEmpty ? nil : arguments,
                environment: environment, user: user.isEmpty ? nil : user, workingDirectory: "/"),
            rootfs: .init(layers: [layer]))
    }
}

/// Lends the outer archive's sink to the layer inside it.
private struct BorrowedSink<Sink: ByteSink>: ByteSink {
    var sink: Sink
    init(_ sink: Sink) { self.sink = sink }
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws { try sink.write(bytes) }
}
