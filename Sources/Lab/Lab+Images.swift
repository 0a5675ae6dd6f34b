import ArtifactStore

extension Lab {
    /// Puts images into the host's containerd; those that are there already cost nothing.
    public func importImages(_ images: [ImageArchive]) async throws {
        try await importImages(images, tools: try await artifacts.nodeTools())
    }

    func importImages(_ images: [ImageArchive], tools: NodeTools) async throws {
        let path = paths.importedImages
        var imported = try await offPool { try Files.decode([String: String].self, ifThere: path) } ?? [:]
        let missing = images.filter { imported[$0.reference] != $0.sha256 }
        guard !missing.isEmpty else { return }
        try await phase("images") {
            for image in missing {
                let result = try await containerd(tools, ["images", "import", image.path])
                guard result.succeeded else {
                    throw LabError(
                        "the image \(image.reference) could not be imported from \(image.path): \(Command.lastLines(result.error))")
                }
                imported[image.reference] = image.sha256
                let record = imported
                try await offPool { try Files.encode(record, to: path) }
            }
        }
    }

    /// Lets an image that is there be found under other names too.
    func name(_ image: ImageArchive, also references: Set<String>, tools: NodeTools) async throws {
        let path = paths.importedImages
        var imported = try await offPool { try Files.decode([String: String].self, ifThere: path) } ?? [:]
        let missing = references.filter { imported[$0] != image.sha256 }.sorted()
        guard !missing.isEmpty else { return }
        let result = try await containerd(tools, ["images", "tag", "--force", image.reference] + missing)
        guard result.succeeded else {
            throw LabError(
                "the image \(image.reference) could not be named \(missing.joined(separator: ", ")): \(Command.lastLines(result.error))")
        }
        for reference in missing { imported[reference] = image.sha256 }
        let record = imported
        try await offPool { try Files.encode(record, to: path) }
    }

    func containerdAnswers(_ tools: NodeTools) async throws -> Bool {
        try await containerd(tools, ["version"]).succeeded
    }

    /// ctr, from this computer's own namespaces but for the mounts, among which containerd's socket is.
    private func containerd(_ tools: NodeTools, _ arguments: [String]) async throws -> Command.Outcome {
        let paths = self.paths
        guard let process = try await offPool({ try SupervisorProcess.running(paths) }) else {
            throw LabError("the lab \(name) is not up: nestbox lab up --name \(name)")
        }
        return try await Command.result(
            "nsenter",
            process.entering(["--mount"])
                + [tools.program("ctr"), "--address", HostConfiguration.containerdSocket, "--namespace", "k8s.io"] + arguments,
            purpose: "talking to the host's containerd")
    }
}
