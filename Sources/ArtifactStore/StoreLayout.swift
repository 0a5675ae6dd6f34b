import KubernetesVersions

/// Where things lie below the store's root.
struct StoreLayout: Sendable {
    let root: String

    func kubernetes(_ version: KubernetesVersion, _ architecture: Architecture) -> String {
        "\(root)/kubernetes/\(version)/\(architecture.rawValue)"
    }

    func nodeTools(_ recipe: String, _ architecture: Architecture) -> String { "\(root)/node-tools/\(recipe)/\(architecture.rawValue)" }
    func etcd(_ version: String, _ architecture: Architecture) -> String { "\(root)/etcd/\(version)/\(architecture.rawValue)" }
    func image(_ name: String, _ tag: String, _ architecture: Architecture) -> String {
        "\(root)/images/\(name)-\(tag)/\(architecture.rawValue)"
    }

    /// Debian's packages, unpacked: what node tools and images are made of.
    func sysroot(_ recipe: String, _ architecture: Architecture) -> String { "\(root)/debian/\(recipe)/\(architecture.rawValue)" }
    var apt: String { "\(root)/debian/apt" }
    var build: String { "\(root)/build" }
    /// Downloads that are not whole yet.
    var downloads: String { "\(root)/downloads" }
    var locks: String { "\(root)/locks" }
    func log(_ name: String) -> String { "\(root)/logs/\(name).log" }
}
