import SSHClient

/// A machine as it is now, beside its facts: whose it says it is, its clock, its disks, and its services.
public struct MachineLook: Sendable, Equatable {
    /// Seconds since 1970 by its clock.
    public var now: Int?
    /// The first line of its claim file; nil when there is none.
    public var claim: String?
    /// Whether it is to be booted by systemd, and is up.
    public var systemd: String?
    /// By mount point: what is used of the disk, in percent.
    public var usedPercent: [String: Int]
    /// By unit: `active`, `inactive`, `failed`; of those that are there.
    public var units: [String: String]

    public init(
        now: Int? = nil, claim: String? = nil, systemd: String? = nil, usedPercent: [String: Int] = [:], units: [String: String] = [:]
    ) {
        self.now = now
        self.claim = claim
        self.systemd = systemd
        self.usedPercent = usedPercent
        self.units = units
    }

    /// The units of ours that a node runs.
    public static let nodeUnits = ["nestbox-kubelet.service", "nestbox-containerd.service", "nestbox-node.service"]

    static let script = """
        export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        echo "now=$(date +%s)"
        [ ! -s \(NodePaths.claim) ] || echo "claim=$(head -n 1 \(NodePaths.claim))"
        echo "systemd=$(timeout 5 systemctl is-system-running 2>/dev/null)"
        df -P / /var/lib/kubelet /var/lib/containerd 2>/dev/null | awk 'NR > 1 { sub("%", "", $5); print "used." $6 "=" $5 }' | sort -u
        for unit in \(nodeUnits.joined(separator: " ")); do
            [ "$(systemctl show -p LoadState --value $unit 2>/dev/null)" != loaded ] || echo "unit.$unit=$(systemctl is-active $unit)"
        done
        echo end=end

        """

    /// - Throws: `StepFailure` when the user is not root and may not become it.
    public static func gather(on shell: any MachineShell) async throws -> MachineLook {
        let result = try await shell.run(script, timeout: .seconds(30))
        if let failure = StepFailure(result, timeout: .seconds(30), isWhole: result.text.hasSuffix("end=end\n")) { throw failure }
        return MachineLook(answer: result.text)
    }

    init(answer: String) {
        self.init()
        for line in answer.split(separator: "\n").prefix(64) {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[1].isEmpty else { continue }
            let value = MachineWords.cleaned(String(parts[1]), limit: 128)
            switch parts[0] {
            case "now": now = Int(value)
            case "claim": claim = value
            case "systemd": systemd = value
            case let key where key.hasPrefix("used."):
                usedPercent[MachineWords.cleaned(String(key.dropFirst("used.".count)), limit: 64)] = Int(value)
            case let key where key.hasPrefix("unit."):
                let unit = String(key.dropFirst("unit.".count))
                if Self.nodeUnits.contains(unit) { units[unit] = value }
            default: continue
            }
        }
    }

    /// Whether the claim file says this claim.
    public func isClaimed(machineUID: String, epoch: Int) -> Bool {
        claim == ClaimFile.line(MachineOwner(uid: machineUID, epoch: epoch, holder: ""))
    }
}
