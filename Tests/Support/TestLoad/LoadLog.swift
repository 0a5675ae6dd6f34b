/// Where a load writes down what it saw.
public actor LoadLog {
    public private(set) var record = ServiceRecord()
    public private(set) var ledger = Ledger()
    /// Reads that contradict what was acknowledged.
    public private(set) var contradictions: [String] = []
    private let start = ContinuousClock.now

    public init() {}

    private var now: Double { (ContinuousClock.now - start) / .seconds(1) }

    public func begins(_ operation: String) { record.begins(operation, at: now) }
    public func succeeded(_ verb: Verb) { record.succeeded(verb, at: now) }
    public func failed(_ verb: Verb, _ error: any Error) { record.failed(verb, at: now, "\(error)") }

    func tried(_ counter: String, _ value: Int) { ledger.tried(counter, value) }

    func wrote(_ counter: String, _ value: Int) {
        ledger.acknowledged(counter, value)
        record.succeeded(.update, at: now)
    }

    func created(_ name: String) {
        ledger.acknowledged(created: name)
        record.succeeded(.create, at: now)
    }

    func read(_ counter: String, _ value: Int?, since earlier: Ledger? = nil) {
        if let words = ledger.contradiction(of: counter, value, since: earlier) { contradictions.append(words) }
    }
}
