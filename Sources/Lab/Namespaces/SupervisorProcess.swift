import Glibc

/// Process 1 of a lab, as the computer sees it: its number, and its start time so that a reused number is not taken for it.
struct SupervisorProcess: Equatable, Sendable {
    var number: pid_t
    /// In clock ticks since the computer's start.
    var startTime: UInt64

    /// Reads what the boot script recorded: `4711 123456`.
    init?(record: String) {
        let parts = record.split(whereSeparator: \.isWhitespace)
        guard parts.count == 2, let number = pid_t(parts[0]), number > 1, let startTime = UInt64(parts[1]) else { return nil }
        self.number = number
        self.startTime = startTime
    }

    /// The one of a lab; nil when none was recorded, or when it has ended.
    static func running(_ paths: LabPaths) throws -> SupervisorProcess? {
        guard let record = try Files.text(ifThere: paths.supervisorProcess), let process = SupervisorProcess(record: record),
            try process.isAlive()
        else { return nil }
        return process
    }

    func isAlive() throws -> Bool {
        guard let stat = try Files.text(ifThere: "/proc/\(number)/stat") else { return false }
        return Self.isRunning(stat: stat, startTime: startTime)
    }

    /// Reads `/proc/<pid>/stat`: the command name in parentheses may hold anything, so fields are counted from behind it.
    static func isRunning(stat: String, startTime: UInt64) -> Bool {
        guard let end = stat.lastIndex(of: ")") else { return false }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let state = fields.first, state != "Z", state != "X" else { return false }
        return UInt64(fields[19].filter(\.isNumber)) == startTime
    }

    /// Tells it something; a process that is gone needs to hear nothing.
    func signal(_ signal: CInt) throws {
        guard try isAlive() else { return }
        if kill(number, signal) != 0, errno != ESRCH {
            throw LabError("cannot signal the lab's process \(number): \(Files.systemError())")
        }
    }

    /// `nsenter` into its namespaces.
    func entering(_ namespaces: [String]) -> [String] { ["--target", "\(number)"] + namespaces + ["--"] }
}
