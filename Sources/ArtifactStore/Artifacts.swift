import KubernetesVersions

/// One file of the store.
public struct Artifact: Sendable, Hashable {
    public var path: String
    /// Lower-case hexadecimal.
    public var sha256: String
    public var size: Int

    public init(path: String, sha256: String, size: Int) {
        self.path = path
        self.sha256 = sha256
        self.size = size
    }
}

/// A tar of an OCI layout with one image in it: `ctr images import` takes it.
public struct ImageArchive: Sendable, Hashable {
    public var reference: String
    public var path: String
    /// Of the archive, lower-case hexadecimal.
    public var sha256: String
    public var size: Int

    public init(reference: String, path: String, sha256: String, size: Int) {
        self.reference = reference
        self.path = path
        self.sha256 = sha256
        self.size = size
    }
}

/// What the store holds of one Kubernetes release for one architecture.
public struct KubernetesArtifacts: Sendable {
    public let version: KubernetesVersion
    public let architecture: Architecture
    /// `.../kubernetes/v1.20.2/amd64`, with `bin` and `images` in it.
    public let directory: String
    /// Where it came from, in words.
    public let origin: String
    let contents: InstalledFiles

    /// One of the release's programs. kubeadm may be missing (see `contains`): then the size is 0.
    public func binary(_ name: KubernetesBinary) -> Artifact { contents.artifact("bin/\(name.rawValue)") }

    /// One of the release's images; where it is missing (see `contains`) the size is 0.
    public func image(_ name: KubernetesImage) -> ImageArchive {
        contents.image("images/\(name.rawValue).tar", reference: "registry.k8s.io/\(name.rawValue):\(version)")
    }

    /// The image of an etcd that came along with the release, under the name that the release's control planes ask for; nil where
    /// none came.
    public var etcdImage: ImageArchive? {
        let path = "images/etcd.tar"
        return contents.contains(path) ? contents.image(path, reference: Self.etcdReference(version)) : nil
    }

    static func etcdReference(_ version: KubernetesVersion) -> String { "registry.k8s.io/etcd:\(version.etcdImageTag)" }

    public func contains(_ name: KubernetesBinary) -> Bool { contents.contains("bin/\(name.rawValue)") }
    public func contains(_ name: KubernetesImage) -> Bool { contents.contains("images/\(name.rawValue).tar") }

    public var binaries: [Artifact] { KubernetesBinary.allCases.filter(contains).map(binary) }
    public var images: [ImageArchive] { KubernetesImage.allCases.filter(contains).map(image) }
}

/// etcd for the host of the lab and for tenants.
public struct EtcdArtifacts: Sendable {
    /// `3.4.23`
    public let version: String
    public let directory: String
    public let etcd: Artifact
    public let etcdctl: Artifact
    public let image: ImageArchive
}

/// What a worker machine needs beside the kubelet, laid out as it lies in `/opt/nestbox`.
public struct NodeTools: Sendable {
    public let recipe: String
    public let architecture: Architecture
    /// The unpacked tree: `bin`, `lib`, `libexec`, `cni`. Runs from where it lies, too.
    public let root: String
    /// The same tree as a tar, its paths relative to `/opt/nestbox`.
    public let tarball: Artifact
    /// Debian package versions by package: `containerd`, `runc`, `containernetworking-plugins`, `iptables`...
    public let packages: [String: String]

    /// A program of the tree, such as `containerd`.
    public func program(_ name: String) -> String { "\(root)/bin/\(name)" }
    public var cniFolder: String { "\(root)/cni" }
}
