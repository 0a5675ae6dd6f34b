/// One step of a plan, as data: what is done, how to know that it was, and how to take it back.
public struct Step: Sendable, Equatable {
    /// What the machine's status calls it: `StartKubelet`.
    public var name: String
    /// Succeeds when the step needs no doing. Without one it is done every time.
    public var check: Script?
    /// Done in order. Each must be safe to do again after being cut off anywhere.
    public var actions: [StepAction]
    /// Takes back what a failed attempt left, before the next one.
    public var undo: Script?
    /// Of each script; an upload may take as long as it goes forward.
    public var timeout: Duration
    public var retry: RetryRule
    /// Whether the plan's fence runs before its scripts.
    public var fenced: Bool

    public init(
        _ name: String, check: Script? = nil, actions: [StepAction], undo: Script? = nil, timeout: Duration = .seconds(60),
        retry: RetryRule = .init(), fenced: Bool = true
    ) {
        self.name = name
        self.check = check
        self.actions = actions
        self.undo = undo
        self.timeout = timeout
        self.retry = retry
        self.fenced = fenced
    }
}

/// Something a step does.
public enum StepAction: Sendable, Equatable {
    case script(Script)
    /// Files from here, each skipped where the machine has it already.
    case upload([Upload])
}

/// A file of ours on its way to the machine.
public struct Upload: Sendable, Equatable {
    public var file: LocalFile
    public var path: String
    public var mode: Int

    public init(_ file: LocalFile, to path: String, mode: Int = 0o644) {
        self.file = file
        self.path = path
        self.mode = mode
    }
}

/// A file on this computer and the SHA-256 (hex) that it must have.
public struct LocalFile: Sendable, Equatable {
    public var path: String
    public var sha256: String

    public init(path: String, sha256: String) {
        self.path = path
        self.sha256 = sha256
    }
}

/// How often a step is tried, and how long after a failure. A refusal is never tried again.
public struct RetryRule: Sendable, Equatable {
    public var attempts: Int
    /// After the first failure; doubled after each further one, up to 30 seconds.
    public var delay: Duration

    public init(attempts: Int = 3, delay: Duration = .seconds(2)) {
        self.attempts = attempts
        self.delay = delay
    }

    /// One attempt only.
    public static let once = RetryRule(attempts: 1)

    func delay(afterAttempt attempt: Int) -> Duration {
        min(delay * (1 << min(attempt - 1, 10)), .seconds(30))
    }
}

/// Steps in order, done on one machine.
public struct Plan: Sendable, Equatable {
    /// `Join`, `Clean`.
    public var name: String
    /// Runs before every script: refuses when the machine is no longer ours to change.
    public var fence: Script?
    public var steps: [Step]

    public init(name: String, fence: Script? = nil, steps: [Step]) {
        self.name = name
        self.fence = fence
        self.steps = steps
    }
}

extension Plan: CustomStringConvertible {
    /// All that it would do, for people and golden files. Holds the files' contents: not for logs.
    public var description: String {
        var text = "plan \(name)\n"
        if let fence { text += "\n## fence\n\(fence.body)\n" }
        for step in steps {
            text += "\n# \(step.name) (timeout \(step.timeout.components.seconds) s, attempts \(step.retry.attempts))\n"
            if let check = step.check { text += "## check\n\(check.body)\n" }
            for action in step.actions {
                switch action {
                case .script(let script): text += "## do\n\(script.body)\n"
                case .upload(let uploads):
                    for upload in uploads {
                        text += "## upload \(upload.file.path) to \(upload.path), mode \(String(upload.mode, radix: 8))\n"
                    }
                }
            }
            if let undo = step.undo { text += "## undo\n\(undo.body)\n" }
        }
        return text
    }
}
