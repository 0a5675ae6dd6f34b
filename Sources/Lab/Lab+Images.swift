import ArtifactStore

extension Lab {
    /// Puts images into the containerd of each of the host's nodes; those that are there already cost nothing.
    public func importImages(_ images: [ImageArchive]) async throws {
        let paths = self.paths
        guard let spec = try await offPool({ try Files.decode(LabSpec.self, ifThere: paths.spec) }) else { throw notUp }
        let tools = try await artifacts.nodeTools()
        for node in spec.nodes { try await importImages(images, tools: tools, to: node) }
    }

    func importImages(_ images: [ImageArchive], tools: NodeTools, to node: HostNode) async throws {
        var imported = try await importedImages(of: node)
        let missing = images.filter { imported[$0.reference] != $0.sha256 }
        guard !missing.isEmpty else { return }
        try await phase(node.isEmbedded ? "images" : "images of \(node.name)") {
            for image in missing {
                let result = try await containerd(tools, of: node, ["images", "import", image.path])
                guard result.succeeded else {
                    throw LabError(
                        "the image \(image.reference) could not be imported from \(image.path) into \(node.name): "
                            + Command.lastLines(result.error))
                }
                imported[image.reference] = image.sha256
                try await note(imported, of: node)
            }
        }
    }

    /// Lets an image that is there be found under other names too.
    func name(_ image: ImageArchive, also references: Set<String>, tools: NodeTools, on node: HostNode) async throws {
        var imported = try await importedImages(of: node)
        let missing = references.filter { imported[$0] != image.sha256 }.sorted()
        guard !missing.isEmpty else { return }
        let result = try await containerd(tools, of: node, ["images", "tag", "--force", image.reference] + missing)
        guard result.succeeded else {
            throw LabError(
                "the image \(image.reference) could not be named \(missing.joined(separator: ", ")) on \(node.name): "
                    + Command.lastLines(result.error))
        }
        for reference in missing { imported[reference] = image.sha256 }
        try await note(imported, of: node)
    }

    func containerdAnswers(_ tools: NodeTools, of node: HostNode) async throws -> Bool {
        // A machine on its way to its own root would still find the embedded node's socket.
        guard try await isUp(node) else { return false }
        return try await containerd(tools, of: node, ["version"]).succeeded
    }

    private func isUp(_ node: HostNode) async throws -> Bool {
        let path = paths.status
        guard !node.isEmbedded else { return true }
        return try await offPool { try Files.decode(SupervisorReport.self, ifThere: path) }?.machines
            .contains { $0.name == node.name && $0.phase == .ready } ?? false
    }

    private func importedImages(of node: HostNode) async throws -> [String: String] {
        let path = paths.importedImages(of: node)
        return try await offPool { try Files.decode([String: String].self, ifThere: path) } ?? [:]
    }

    private func note(_ imported: [String: String], of node: HostNode) async throws {
        let path = paths.importedImages(of: node)
        try await offPool { try Files.encode(imported, to: path) }
    }

    /// ctr. The embedded node's from this computer's own namespaces but for the mounts, among which containerd's socket is.
    private func containerd(_ tools: NodeTools, of node: HostNode, _ arguments: [String]) async throws -> LabCommandResult {
        let command = ["--address", HostConfiguration.containerdSocket, "--namespace", "k8s.io"] + arguments
        guard node.isEmbedded else { return try await run(in: .machine(node.name), tools.program("ctr"), command) }
        let paths = self.paths
        guard let process = try await offPool({ try SupervisorProcess.running(paths) }) else { throw notUp }
        let outcome = try await Command.result(
            "nsenter", process.entering(["--mount"]) + [tools.program("ctr")] + command, purpose: "talking to the host's containerd")
        return LabCommandResult(succeeded: outcome.succeeded, output: outcome.output, error: outcome.error)
    }

    private var notUp: LabError { LabError("the lab \(name) is not up: nestbox lab up --name \(name)") }
}
