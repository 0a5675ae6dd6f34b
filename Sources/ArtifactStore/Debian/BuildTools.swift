/// What Nestbox wants on the computer that makes artifacts, by the Debian package that brings it.
struct BuildTools: Sendable {
    var file: String
    var package: String

    /// To unpack Debian's packages.
    static let packages = [
        BuildTools(file: "/usr/bin/apt-get", package: "apt"), BuildTools(file: "/usr/bin/dpkg-deb", package: "dpkg"),
    ]

    static let goReflect = "/usr/share/gocode/src/github.com/modern-go/reflect2"

    /// To build Kubernetes of Debian's source.
    static let kubernetes = [
        BuildTools(file: "/usr/bin/go", package: "golang-go"),
        BuildTools(file: goReflect, package: "golang-github-modern-go-reflect2-dev"),
        BuildTools(file: "/usr/bin/jq", package: "jq"),
        BuildTools(file: "/usr/bin/rsync", package: "rsync"),
        BuildTools(file: "/usr/bin/dpkg-source", package: "dpkg-dev"),
        BuildTools(file: "/usr/bin/make", package: "make"),
        BuildTools(file: "/usr/bin/xz", package: "xz-utils"),
    ]

    /// One error for all that is missing.
    static func require(_ tools: [BuildTools]) throws {
        let missing = tools.filter { !FileSystem.exists($0.file) }.map(\.package)
        guard missing.isEmpty else {
            throw ArtifactError(
                .missingTools,
                "building from Debian's packages needs what is not installed here; as root: apt-get install \(missing.joined(separator: " "))"
            )
        }
    }
}
