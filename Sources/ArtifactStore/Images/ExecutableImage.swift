extension ImageBuilder {
    /// An image of programs of this computer with every shared library they need, certificates and name lookup:
    /// how Nestbox's own images are made of its own binaries, static or linked to a toolchain's libraries.
    /// - Parameter programs: absolute paths here; they lie in `/usr/local/bin` there, and the first is the entry point.
    public static func executableImage(
        reference: String, programs: [String], user: String = "65532:65532", arguments: [String] = [], extraFiles: [ImageFile] = []
    ) async throws -> ImageBuilder {
        guard let first = programs.first else { throw ArtifactError(.invalidInput, "\(reference): an image of no program") }
        for program in programs {
            let machine = try await offPool { try ELFHeader(reading: program).machine }
            guard machine == Architecture.current.elfMachine else {
                throw ArtifactError(.invalidInput, "\(program): not built for \(Architecture.current.rawValue)")
            }
        }
        func place(_ program: String) -> String { "/usr/local/bin/\(program.split(separator: "/").last ?? "")" }
        let libraries = try await LibraryClosure.ofLocalPrograms(programs)
        let certificates = try await offPool { BaseFiles.localCertificates() }
        let files =
            BaseFiles.standard + certificates
            + libraries.map { ImageFile.executable($0.imagePath(.current), copyOf: $0.path) }
            + programs.map { ImageFile.executable(place($0), copyOf: $0) }
            + extraFiles
        return ImageBuilder(reference: reference, entrypoint: [place(first)], arguments: arguments, user: user, files: files)
    }
}
