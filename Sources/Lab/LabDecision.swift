/// What `up` has to do to the running lab, if there is one, to make it what it should be.
enum LabDecision: Equatable {
    /// Nothing runs: clear what a crash left, and start.
    case start
    /// It is what it should be.
    case keep
    /// Machines come or go; the host goes on.
    case reload
    /// The host itself has to change.
    case restart(because: String)

    static func decide(running: LabSpec?, alive: Bool, wanted: LabSpec) -> LabDecision {
        guard alive else { return .start }
        guard let running else { return .restart(because: "what it runs is not on record") }
        if running == wanted { return .keep }
        var differing: [String] = []
        if running.addresses != wanted.addresses { differing.append("addresses") }
        if running.version != wanted.version { differing.append("Kubernetes version") }
        if running.components != wanted.components || running.environment != wanted.environment { differing.append("components") }
        if running.nodes != wanted.nodes { differing.append("nodes") }
        if running.rootfs != wanted.rootfs { differing.append("machines' image") }
        return differing.isEmpty ? .reload : .restart(because: "its \(differing.joined(separator: " and ")) changed")
    }
}
