/// What belongs to no Kubernetes release.
extension ArtifactStore {
    /// containerd, its shim, runc, ctr, CNI plugins, iptables, conntrack, socat and ethtool, with their libraries.
    public func nodeTools(
        architecture: Architecture = .current, progress: @escaping ArtifactProgress = { _ in }
    ) async throws -> NodeTools {
        let recipes = try await offPool { [layout] in Self.recipes(in: "\(layout.root)/node-tools", architecture) }
        for recipe in recipes {
            if let there = try await installedNodeTools(recipe, architecture) { return there }
        }
        let recipe = DebianPackages.recipe(try await offPool { try DebianRelease.ofThisComputer() })
        return try await StoreLock.holding("node-tools-\(architecture.rawValue)", layout: layout, progress: progress) {
            if let there = try await installedNodeTools(recipe, architecture) { return there }
            let sysroot = try await DebianPackages(layout: layout, architecture: architecture).sysroot(progress: progress)
            progress("laying out the tools of a worker machine")
            let place = layout.nodeTools(recipe, architecture)
            try await Staging.install(at: place) { try await NodeToolsRecipe(sysroot: sysroot).install(into: $0) }
            guard let tools = try await installedNodeTools(recipe, architecture) else {
                throw ArtifactError(.storage, "\(place): made, and not there")
            }
            return tools
        }
    }

    /// etcd and etcdctl, and the image of them.
    public func etcd(
        architecture: Architecture = .current, progress: @escaping ArtifactProgress = { _ in }
    ) async throws -> EtcdArtifacts {
        let versions = try await offPool { [layout] in Self.recipes(in: "\(layout.root)/etcd", architecture) }
        for version in versions {
            if let there = try await installedEtcd(version, architecture) { return there }
        }
        return try await StoreLock.holding("etcd-\(architecture.rawValue)", layout: layout, progress: progress) {
            let sysroot = try await DebianPackages(layout: layout, architecture: architecture).sysroot(progress: progress)
            let version = DebianPackages.upstreamVersion(sysroot.packages["etcd-server"] ?? "")
            if let there = try await installedEtcd(version, architecture) { return there }
            let place = layout.etcd(version, architecture)
            progress("making the image \(EtcdImage.reference(version))")
            try await Staging.install(at: place) { try await EtcdImage(sysroot: sysroot, version: version).install(into: $0) }
            guard let etcd = try await installedEtcd(version, architecture) else {
                throw ArtifactError(.storage, "\(place): made, and not there")
            }
            return etcd
        }
    }

    /// The image of a pod's sandbox.
    public func pauseImage(
        architecture: Architecture = .current, progress: @escaping ArtifactProgress = { _ in }
    ) async throws -> ImageArchive {
        try await smallImage("pause", SmallImages.pauseTag, "registry.k8s.io/pause:\(SmallImages.pauseTag)", architecture, progress) {
            progress("compiling the pause image")
            return try await SmallImages.pause(architecture, scratch: $0)
        }
    }

    /// An image to try a cluster with: `nestbox.dev/busybox:1`, with a shell and a web server (`httpd -f -p 8080 -h /var/www`).
    public func busyboxImage(
        architecture: Architecture = .current, progress: @escaping ArtifactProgress = { _ in }
    ) async throws -> ImageArchive {
        try await smallImage("busybox", SmallImages.busyboxTag, "nestbox.dev/busybox:\(SmallImages.busyboxTag)", architecture, progress) { _ in
            try await SmallImages.busybox(try await DebianPackages(layout: layout, architecture: architecture).sysroot(progress: progress))
        }
    }

    private func smallImage(
        _ name: String, _ tag: String, _ reference: String, _ architecture: Architecture, _ progress: @escaping ArtifactProgress,
        _ builder: (_ scratch: String) async throws -> ImageBuilder
    ) async throws -> ImageArchive {
        let place = layout.image(name, tag, architecture)
        let file = "\(name).tar"
        if let there = try await offPool({ try InstalledFiles(reading: place) }) { return there.image(file, reference: reference) }
        return try await StoreLock.holding("image-\(name)-\(architecture.rawValue)", layout: layout, progress: progress) {
            if let there = try await offPool({ try InstalledFiles(reading: place) }) { return there.image(file, reference: reference) }
            try await Staging.install(at: place) { _ = try await builder($0).write(to: "\($0)/\(file)") }
            guard let made = try await offPool({ try InstalledFiles(reading: place) }) else {
                throw ArtifactError(.storage, "\(place): made, and not there")
            }
            return made.image(file, reference: reference)
        }
    }

    private func installedNodeTools(_ recipe: String, _ architecture: Architecture) async throws -> NodeTools? {
        let place = layout.nodeTools(recipe, architecture)
        return try await offPool {
            guard let contents = try InstalledFiles(reading: place) else { return nil }
            return NodeTools(
                recipe: recipe, architecture: architecture, root: "\(place)/root", tarball: contents.artifact("node-tools.tar"),
                packages: DebianPackages.versions(contents.note("PACKAGES")))
        }
    }

    private func installedEtcd(_ version: String, _ architecture: Architecture) async throws -> EtcdArtifacts? {
        let place = layout.etcd(version, architecture)
        return try await offPool {
            guard let contents = try InstalledFiles(reading: place) else { return nil }
            return EtcdArtifacts(
                version: version, directory: place, etcd: contents.artifact("bin/etcd"), etcdctl: contents.artifact("bin/etcdctl"),
                image: contents.image("images/etcd.tar", reference: EtcdImage.reference(version)))
        }
    }

    /// Folder names that hold this architecture, newest last made first.
    private static func recipes(in folder: String, _ architecture: Architecture) -> [String] {
        FileSystem.names(in: folder).reversed().filter { FileSystem.exists("\(folder)/\($0)/\(architecture.rawValue)") }
    }
}
