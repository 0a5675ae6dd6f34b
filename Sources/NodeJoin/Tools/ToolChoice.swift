public import KubernetesVersions
public import NestboxAPI

/// Where a tool is taken from.
public enum ToolSource: String, Sendable {
    /// The machine has it, and it is new enough.
    case machine
    /// The artifact store's, pushed.
    case store
    /// The machine's package manager: fetched and unpacked beside, never installed, for that would start daemons.
    case packages
}

/// Which tools a machine's node is run with, decided from what the machine has and what the store has.
public struct ToolChoice: Sendable, Equatable {
    public var sources: [NodeTool: ToolSource]
    /// Whether it has a containerd of its own, taken or not, whose daemon and folders stay as they are.
    public var hasOwnContainerd: Bool
    /// Why the machine cannot be taken as it is, in a sentence.
    public var problem: String?

    /// - Parameters:
    ///   - storedContainerd: the version of the containerd among the store's tools; nil when the store has no tools.
    public init(facts: MachineFacts, storedContainerd: ProgramVersion?, version: KubernetesVersion) {
        let own = facts.tools ?? [:]
        sources = [:]
        for tool in NodeTool.allCases {
            let fitting = tool.versions(for: version)
            if let found = own[tool.rawValue].flatMap({ ProgramVersion($0) }), fitting.contains(found) {
                sources[tool] = .machine
            } else if let storedContainerd, tool != .containerd || fitting.contains(storedContainerd) {
                sources[tool] = .store
            } else {
                sources[tool] = .packages
            }
        }
        hasOwnContainerd = own[NodeTool.containerd.rawValue] != nil
        problem = facts.containers.map {
            "containers of its own run on it (\($0)), which would share its ports, its rules and its memory with a tenant's pods: "
                + "remove them, or take another machine"
        }
    }

    func tools(from source: ToolSource) -> [NodeTool] { NodeTool.allCases.filter { sources[$0] == source } }

    /// Changes when the choice does.
    var words: String { NodeTool.allCases.map { "\($0.rawValue)=\(sources[$0]?.rawValue ?? "")" }.joined(separator: " ") }
}

extension NodeTool {
    /// What is new enough.
    func versions(for kubernetes: KubernetesVersion) -> Range<ProgramVersion> {
        let all = ProgramVersion(0)..<ProgramVersion(.max)
        return switch self {
        case .containerd: kubernetes.containerdVersions
        // Older ones know neither the cgroups of systemd's newer releases nor the fixes of 2021.
        case .runc: ProgramVersion(1, 0)..<ProgramVersion(.max)
        // The newest CNI specification they know; our configuration is written in this one.
        case .cni: ProgramVersion(0, 4)..<ProgramVersion(.max)
        case .iptables, .conntrack, .socat, .ethtool: all
        }
    }
}
