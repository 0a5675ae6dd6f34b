import TestCampaign

/// What a connection of the soak does.
enum TripKind: String, CaseIterable, Sendable {
    /// 1 KiB there and back, some hundred times.
    case echoes
    /// All of it goes to the target, which hashes it, behind a half-close, and answers with the hash.
    case upload
    /// The target writes and closes at once.
    case download
    /// The client writes and closes at once.
    case sendAndClose
    /// Both at the same time, each with its half-close.
    case both
    /// A download that is read in sips.
    case slowReader
    /// A download that is not read at all for a while.
    case stalledReader
    /// An upload that the target does not read for a while.
    case stalledTarget
    /// The target breaks off.
    case resetByTarget
    /// The client breaks off under a download.
    case resetByClient
    /// An echo, nothing for long, another echo.
    case idle
    /// Targets that refuse, that never answer, whose name nobody knows, and that agents may not dial; and a dial that is given up.
    case refused, blackHole, unknown, forbidden, abandoned

    /// How many of each there are among all, and how long one takes where nothing is wrong.
    var weight: Int {
        switch self {
        case .echoes: 20
        case .upload, .download, .sendAndClose, .both: 15
        case .slowReader, .stalledReader, .stalledTarget: 3
        case .resetByTarget, .resetByClient: 4
        case .idle: 6
        case .refused, .blackHole, .unknown, .forbidden, .abandoned: 2
        }
    }

    var isGoodDial: Bool {
        switch self {
        case .refused, .blackHole, .unknown, .forbidden, .abandoned: false
        default: true
        }
    }

    static func random(using generator: inout SeededGenerator) -> TripKind {
        var turn = Int.random(in: 0..<allCases.reduce(0) { $0 + $1.weight }, using: &generator)
        for kind in allCases {
            turn -= kind.weight
            if turn < 0 { return kind }
        }
        return .echoes
    }
}

/// One connection of the soak: decided before it begins.
struct Trip: Sendable {
    var id: Int
    var kind: TripKind
    var server: String
    /// Bytes of each direction that has any.
    var size: Int
    /// How long a slow or stalled one takes, beside what the bytes take.
    var pause: Duration

    init(id: Int, server: String, using generator: inout SeededGenerator) {
        self.id = id
        self.server = server
        kind = .random(using: &generator)
        switch kind {
        case .slowReader, .stalledReader, .stalledTarget: size = (1 << 20) + generator.size(upTo: 1 << 20)
        default: size = generator.size(upTo: 4 << 20)
        }
        pause = .seconds(kind == .idle ? Double.random(in: 15...90, using: &generator) : Double.random(in: 5...40, using: &generator))
    }
}

/// How a connection of the soak went.
enum TripOutcome: Sendable {
    case fine
    /// The front was not there, closed without a word, or answered that the target cannot be reached.
    case notConnected(String)
    /// It was connected and ended before it should have.
    case broken(String)
    /// Nothing excuses these: other bytes, no answer in 8 s, a connection that goes on past its deadline, an answer that cannot be.
    case wrong(String)
}

struct TripReport: Sendable {
    var trip: Trip
    var start: ContinuousClock.Instant
    var end: ContinuousClock.Instant
    /// Known once the target was reached.
    var agent: String?
    var answerTime: Duration?
    var outcome: TripOutcome
}
