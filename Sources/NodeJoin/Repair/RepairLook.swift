/// One thing that may be wrong with a machine: how to see it, and what to do about it.
struct RepairLook {
    /// What its findings are reported under.
    var subject: RepairSubject
    /// Shell that says what is wrong, in words, on standard output; says nothing where all is well.
    var look: String
    /// Shell that mends it, with what is wrong in `$words`; nothing when a restart cannot. It says what it did by `did WORDS`.
    var mend: String?

    /// Sees it, and tells.
    var action: Script {
        Script(
            """
            look() {
            \(look)
            }
            did() { report did.\(subject.rawValue) "$*"; }
            words=$(look)
            [ -z "$words" ] || report found.\(subject.rawValue) "$words"
            \(mend ?? ":")
            """)
    }

    /// Succeeds where all is well.
    var check: Script { Script("look() {\n\(look)\n}\n[ -z \"$(look)\" ]") }

    func step(_ name: String, always: Bool = false, timeout: Duration = .seconds(60)) -> Step {
        Step(
            name, check: always ? nil : check, actions: [.script(action)], timeout: timeout,
            retry: RetryRule(attempts: 2, delay: .seconds(2)))
    }
}

/// What a machine is looked at for.
enum RepairSubject: String, CaseIterable {
    case disk, clock, memory, cgroups, network, certificate, containerd, agent, kubelet
}

/// What was found on a machine, and what was done about it, from the outputs of `Plan.repair`.
public struct RepairFindings: Sendable, Equatable {
    private let outputs: [String: String]

    public init(outputs: [String: String]) { self.outputs = outputs }

    /// Whether the node needs a new token to come by a certificate.
    public var needsTicket: Bool { outputs["needs.ticket"] != nil }

    /// In a sentence; empty when nothing was found and nothing done.
    public var words: String {
        RepairSubject.allCases.compactMap { subject in
            let told = [outputs["found.\(subject.rawValue)"], outputs["did.\(subject.rawValue)"]].compactMap(\.self)
            return told.isEmpty ? nil : told.joined(separator: ": ")
        }.joined(separator: "; ")
    }
}
