import Logging

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
        if let recipe = try await fromMirror(.nodeTools, architecture, progress),
            let tools = try await installedNodeTools(recipe, architecture)
        {
            return tools
        }
        let recipe = DebianPackages.recipe(try await offPool { try DebianRelease.ofThisComputer() })
        return try await StoreLock.holding("node-tools-\(architecture.rawValue)", layout: layout, progress: progress) {
            if let there = try await installedNodeTools(recipe, architecture) { return there }
            let sysroot = try await sysroot(architecture, progress: progress)
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
        if let version = try await fromMirror(.etcd, architecture, progress), let etcd = try await installedEtcd(version, architecture) {
            return etcd
        }
        return try await StoreLock.holding("etcd-\(architecture.rawValue)", layout: layout, progress: progress) {
            let sysroot = try await sysroot(architecture, progress: progress)
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
        try await smallImage("busybox", SmallImages.busyboxTag, "nestbox.dev/busybox:\(SmallImages.busyboxTag)", architecture, progress) {
            _ in
            try await SmallImages.busybox(try await sysroot(architecture, progress: progress))
        }
    }

    private func smallImage(
        _ name: String, _ tag: String, _ reference: String, _ architecture: Architecture, _ progress: @escaping ArtifactProgress,
        _ builder: (_ scratch: String) async throws -> ImageBuilder
    ) async throws -> ImageArchive {
        let place = layout.image(name, tag, architecture)
        let file = "\(name).tar"
        if let there = try await offPool({ try InstalledFiles(reading: place) }) { return there.image(file, reference: reference) }
        if try await fromMirror(.images, architecture, progress, named: "\(name)-\(tag)") != nil,
            let there = try await offPool({ try InstalledFiles(reading: place) })
        {
            return there.image(file, reference: reference)
        }
        return try await StoreLock.holding("image-\(name)-\(architecture.rawValue)", layout: layout, progress: progress) {
            if let there = try await offPool({ try InstalledFiles(reading: place) }) { return there.image(file, reference: reference) }
            try await Staging.install(at: place) { folder in
                let scratch = "\(folder)/scratch"
                try await offPool { try FileSystem.createFolder(scratch) }
                _ = try await builder(scratch).write(to: "\(folder)/\(file)")
                try await offPool { try FileSystem.remove(scratch) }
            }
            guard let made = try await offPool({ try InstalledFiles(reading: place) }) else {
                throw ArtifactError(.storage, "\(place): made, and not there")
            }
            return made.image(file, reference: reference)
        }
    }

    /// Debian's packages, unpacked.
    func sysroot(_ architecture: Architecture, progress: @escaping ArtifactProgress) async throws -> Sysroot {
        guard settings.debian else { throw ArtifactError(.notAvailable, "Debian's packages are not to be asked") }
        return try await DebianPackages(layout: layout, architecture: architecture).sysroot(progress: progress)
    }

    /// Brings the newest item of a kind that the mirror has, and returns its name; nil where there is no mirror, or it has none.
    private func fromMirror(
        _ kind: InstalledItem.Kind, _ architecture: Architecture, _ progress: @escaping ArtifactProgress, named name: String? = nil
    ) async throws -> String? {
        guard let mirror else { return nil }
        let items: [MirrorFolder.Item]
        do {
            items = try await mirror.items()
        } catch let error as ArtifactError where error.kind == .notAvailable {
            logger.warning("the artifact folder does not answer", metadata: ["reason": "\(error)"])
            return nil
        }
        let fitting = items.filter { $0.kind == kind && $0.architecture == architecture && (name == nil || $0.name == name) }
        guard let item = fitting.max(by: { $0.name < $1.name }) else { return nil }
        let place = "\(root)/\(item.path)"
        try await StoreLock.holding("mirror-\(kind.rawValue)-\(item.name)-\(architecture.rawValue)", layout: layout, progress: progress) {
            if try await offPool({ try InstalledFiles(reading: place) }) != nil { return }
            try await Staging.install(at: place) { try await mirror.fetch(item, into: $0, progress: progress) }
        }
        return item.name
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
