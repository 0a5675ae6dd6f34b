import Logging

/// One supervised program or machine, as the supervisor sees it.
public struct PartStatus: Codable, Sendable, Equatable {
    public enum Phase: String, Codable, Sendable {
        /// Something has to be there first.
        case waiting
        case running
        /// A machine that answers SSH.
        case ready
        /// It ended, and is started again soon.
        case restarting
        /// A machine that switched itself off.
        case off
    }

    public var name: String
    public var phase: Phase
    /// How often it was started again.
    public var restarts: Int
    /// How it ended last.
    public var lastEnd: String?

    public init(name: String, phase: Phase, restarts: Int = 0, lastEnd: String? = nil) {
        self.name = name
        self.phase = phase
        self.restarts = restarts
        self.lastEnd = lastEnd
    }
}

/// What the supervisor writes down for `up` and `status` to read.
struct SupervisorReport: Codable, Sendable, Equatable {
    var components: [PartStatus] = []
    var machines: [PartStatus] = []

    var troubles: [String] {
        (components.filter { $0.phase != .running } + machines.filter { $0.phase != .ready }).map { part in
            "\(part.name) is \(part.phase.rawValue)" + (part.lastEnd.map { " (\($0))" } ?? "")
        }
    }
}

/// Gathers what is known of the parts and keeps the file up to date. A file that cannot be written is no reason to stop keeping
/// things running: that is logged, and made good by the next write.
actor StatusBoard {
    private let path: String
    private let logger: Logger
    private(set) var report = SupervisorReport()

    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    enum Kind: Sendable { case component, machine }

    func set(_ kind: Kind, _ name: String, _ phase: PartStatus.Phase, lastEnd: String? = nil) {
        switch kind {
        case .component: Self.update(&report.components, name, phase, lastEnd)
        case .machine: Self.update(&report.machines, name, phase, lastEnd)
        }
        write()
    }

    func remove(machine name: String) {
        report.machines.removeAll { $0.name == name }
        write()
    }

    private func write() {
        do {
            // On this actor and not beside it: an older report must not overwrite a newer one.
            try Files.encode(report, to: path)
        } catch {
            logger.error("the lab's status cannot be written down", metadata: ["reason": "\(error)"])
        }
    }

    private static func update(_ parts: inout [PartStatus], _ name: String, _ phase: PartStatus.Phase, _ lastEnd: String?) {
        guard let index = parts.firstIndex(where: { $0.name == name }) else {
            parts.append(PartStatus(name: name, phase: phase, lastEnd: lastEnd))
            parts.sort { $0.name < $1.name }
            return
        }
        if phase == .restarting { parts[index].restarts += 1 }
        parts[index].phase = phase
        parts[index].lastEnd = lastEnd ?? parts[index].lastEnd
    }
}
