/// apt with sources, lists, cache and an (empty) record of installed packages of its own: it reads Debian's archive with
/// this computer's mirrors and proxies and changes nothing of the computer's.
struct PrivateApt: Sendable {
    let folder: String
    let log: String
    let architecture: Architecture

    /// Packages whose work is done at installation, which never happens: they and what they need stay away.
    private static let assumed = ["adduser", "debconf", "init-system-helpers", "netbase", "openssl"]

    /// Writes the private folder and reads the archive's lists.
    func prepare(_ release: DebianRelease, progress: ArtifactProgress) async throws {
        let (folder, log) = (self.folder, self.log)
        try await offPool {
            for name in ["lists/partial", "cache/archives/partial", "state"] { try FileSystem.createFolder("\(folder)/\(name)") }
            try FileSystem.createFolder(String(log[..<(log.lastIndex(of: "/") ?? log.endIndex)]))
            try FileSystem.write(try AptSources.ofThisComputer(release).text, to: "\(folder)/debian.sources")
            try FileSystem.write(Self.assumed.map(Self.record).joined(separator: "\n"), to: "\(folder)/state/status")
            try FileSystem.write(configuration, to: "\(folder)/apt.conf")
        }
        progress("reading Debian's package lists")
        try await Command(log: log).run("apt-get", options + ["update", "-qq"], purpose: "reading Debian's package lists")
    }

    /// Brings packages and everything they need into the private cache; the paths of the .debs.
    func download(_ packages: [String]) async throws -> [String] {
        let archives = "\(folder)/cache/archives"
        try await offPool {
            for name in FileSystem.names(in: archives) where name.hasSuffix(".deb") { try FileSystem.remove("\(archives)/\(name)") }
        }
        try await Command(log: log).run(
            "apt-get", options + ["install", "--yes", "--no-install-recommends", "--download-only"] + packages,
            purpose: "downloading Debian packages")
        return try await offPool { FileSystem.names(in: archives).filter { $0.hasSuffix(".deb") }.map { "\(archives)/\($0)" } }
    }

    /// The versions of a source package that the archive has.
    func sourceVersions(_ package: String) async throws -> [String] {
        try await Command.output(
            "apt-cache", options + ["showsrc", "--only-source", package], purpose: "asking Debian for its \(package) source"
        )
        .split(whereSeparator: \.isNewline).filter { $0.hasPrefix("Version: ") }.map { $0.dropFirst(9).trimmingWhitespace() }
    }

    /// Downloads a source package into `folder`; the path of its `.dsc`. apt checks its signatures and checksums.
    func downloadSource(_ package: String, version: String, into folder: String) async throws -> String {
        var command = Command(log: log)
        command.directory = folder
        try await command.run(
            "apt-get", options + ["source", "--only-source", "--download-only", "\(package)=\(version)"],
            purpose: "downloading Debian's source of \(package) \(version)")
        guard let dsc = try await offPool({ FileSystem.names(in: folder).first { $0.hasSuffix(".dsc") } }) else {
            throw ArtifactError(.commandFailed, "apt-get source \(package)=\(version) ended well and left no .dsc in \(folder)")
        }
        return "\(folder)/\(dsc)"
    }

    private var options: [String] { ["-c", "\(folder)/apt.conf"] }

    /// Read after the computer's own configuration, so that its proxies hold and its hooks do not.
    private var configuration: String {
        """
        #clear APT::Update::Pre-Invoke;
        #clear APT::Update::Post-Invoke;
        #clear APT::Update::Post-Invoke-Success;
        #clear DPkg::Post-Invoke;
        APT::Architecture "\(architecture.rawValue)";
        APT::Sandbox::User "root";
        APT::Get::List-Cleanup "true";
        APT::Update::Error-Mode "any";
        Acquire::Languages "none";
        Acquire::Retries "3";
        Dir::Etc::SourceList "\(folder)/debian.sources";
        Dir::Etc::SourceParts "/dev/null";
        Dir::Etc::Preferences "/dev/null";
        Dir::Etc::PreferencesParts "/dev/null";
        Dir::State "\(folder)/state";
        Dir::State::status "\(folder)/state/status";
        Dir::State::Lists "\(folder)/lists";
        Dir::Cache "\(folder)/cache";

        """
    }

    private static func record(of package: String) -> String {
        """
        Package: \(package)
        Status: install ok installed
        Version: 9999
        Architecture: all
        Maintainer: none
        Description: taken to be there

        """
    }
}
