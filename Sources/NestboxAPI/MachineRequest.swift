/// What a person asks the machines operator to do with one Machine, now: an annotation's JSON. The newest one counts; what came of it
/// is in the status, under the same id. Who may change Machines may ask.
public struct MachineRequest: AnnotationRequest, Equatable {
    /// Its key.
    public static let annotation = "nestbox.dev/request"

    /// Made up for each.
    public var id: String
    public var verb: MachineVerb
    /// To quarantine: why.
    public var reason: String?
    /// To clean one in use, after it was drained; to quarantine one without draining it.
    public var force: Bool?
    /// To accept a host key: the one that is expected, `SHA256:...`.
    public var fingerprint: String?
    /// For logs: units, lines, and where to go on (a cursor of journald's).
    public var units: [String]?
    public var tail: Int?
    public var after: String?

    public init(
        id: String, verb: MachineVerb, reason: String? = nil, force: Bool? = nil, fingerprint: String? = nil, units: [String]? = nil,
        tail: Int? = nil, after: String? = nil
    ) {
        self.id = id
        self.verb = verb
        self.reason = reason
        self.force = force
        self.fingerprint = fingerprint
        self.units = units
        self.tail = tail
        self.after = after
    }
}

public enum MachineVerb: String, Codable, Sendable, CaseIterable {
    case check = "Check"
    case clean = "Clean"
    case quarantine = "Quarantine"
    case release = "Release"
    case logs = "Logs"
    case acceptHostKey = "AcceptHostKey"
    /// Whether the machine takes the key that is to follow the one in use.
    case tryKey = "TryKey"
}

/// What came of a request.
public struct MachineAnswer: Codable, Sendable, Equatable {
    /// The request's.
    public var id: String
    public var verb: MachineVerb
    public var result: MachineResult
    /// In a sentence.
    public var message: String?
    /// Of a check.
    public var findings: [MachineFinding]?
    /// Of logs: where to go on.
    public var cursor: String?
    /// RFC 3339.
    public var answeredAt: String?

    public init(
        id: String, verb: MachineVerb, result: MachineResult, message: String? = nil, findings: [MachineFinding]? = nil,
        cursor: String? = nil, answeredAt: String? = nil
    ) {
        self.id = id
        self.verb = verb
        self.result = result
        self.message = message
        self.findings = findings
        self.cursor = cursor
        self.answeredAt = answeredAt
    }
}

public enum MachineResult: String, Codable, Sendable, CaseIterable {
    case succeeded = "Succeeded"
    /// It was tried.
    case failed = "Failed"
    /// Nothing was tried: it is not to be done to this Machine as it is.
    case refused = "Refused"
}

/// One thing that was looked at.
public struct MachineFinding: Codable, Sendable, Equatable {
    /// `Reachable`, `Clock`.
    public var name: String
    public var passed: Bool
    public var message: String

    public init(name: String, passed: Bool, message: String) {
        self.name = name
        self.passed = passed
        self.message = message
    }
}

/// Where an answer that is too long for a status is left: a Secret in the operators' namespace, that the manifests make.
public enum MachineAnswerBox {
    public static let secretName = "nestbox-machine-answers"
    /// No more than this is kept of one answer, nor more answers than so many.
    public static let largestAnswer = 64 * 1024
    public static let mostAnswers = 8

    /// How the member's name ends that has the answer to a request; before it stands when it was given.
    public static func suffix(machine: String, request: String) -> String { ".\(machine).\(request)" }
}
