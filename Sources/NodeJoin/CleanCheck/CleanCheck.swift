import SSHClient

/// Looks whether a machine is as bare as it was before it joined. It knows what the joiner and the cleaner do only from the
/// outside, and shares neither lists nor scripts with them: what they forget, it must not forget, too.
public struct CleanCheck: Sendable {
    /// Networks and addresses of the cluster that the machine was part of.
    public var podCIDR: String
    public var serviceCIDR: String
    public var apiAddress: String
    /// The tar of tools to read packet-filter rules with where the machine has no program of its own for that.
    public var tools: LocalFile?
    /// Folders that the machine had before it joined.
    public var ownFolders: [String]
    /// Whether it had a containerd before it joined, which may run.
    public var hasOwnContainerd: Bool
    /// The SHA-256 of the list of what it was like before it joined; without one only what is ours is looked for.
    public var baseline: String?

    public init(
        podCIDR: String, serviceCIDR: String, apiAddress: String, tools: LocalFile? = nil, ownFolders: [String] = [],
        hasOwnContainerd: Bool = false, baseline: String? = nil
    ) {
        self.podCIDR = podCIDR
        self.serviceCIDR = serviceCIDR
        self.apiAddress = apiAddress
        self.tools = tools
        self.ownFolders = ownFolders
        self.hasOwnContainerd = hasOwnContainerd
        self.baseline = baseline
    }

    /// What was found, each in a few words; none when the machine is clean. At most 50 are returned.
    public func run(on shell: any MachineShell) async throws -> [String] {
        let folder = "/var/tmp/nestbox-check"
        if let tools { try await shell.upload(Upload(tools, to: "\(folder)/tools.tar")) }
        let result = try await shell.run(script(toolsFolder: folder), timeout: .seconds(baseline == nil ? 120 : 600))
        let lines = result.text.split(separator: "\n").map(String.init)
        guard result.succeeded, lines.last == "checked" else {
            return ["the check itself failed: \(MachineWords.cleaned(result.errorText.isEmpty ? "it was cut off" : result.errorText))"]
        }
        let found = lines.dropLast().map { MachineWords.cleaned($0, limit: 200) }
        return Array(found.prefix(50))
    }

    /// Removes the list from the machine, once what the check found is on record: until then the machine may be looked at again.
    public func forgetBaseline(on shell: any MachineShell) async throws {
        guard let baseline else { return }
        // Not the list of somebody who claimed it meanwhile.
        let script = "[ \"$(sha256sum < \(Baseline.file))\" != \"\(baseline)  -\" ] || rm -f \(Baseline.file)"
        _ = try await shell.run(script, timeout: .seconds(30))
    }
}
