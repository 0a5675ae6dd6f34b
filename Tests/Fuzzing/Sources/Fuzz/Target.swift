/// One thing that is fuzzed.
struct Target: Sendable {
    var name: String
    /// Inputs to begin with.
    var seeds: [[UInt8]]
    /// Returns, or ends the process.
    var run: @Sendable ([UInt8]) -> Void

    init(_ name: String, seeds: [[UInt8]] = [[0]], run: @escaping @Sendable ([UInt8]) -> Void) {
        self.name = name
        self.seeds = seeds
        self.run = run
    }

    init(_ name: String, texts: [String], run: @escaping @Sendable ([UInt8]) -> Void) {
        self.init(name, seeds: texts.map { Array($0.utf8) }, run: run)
    }

    static let all = wire + texts + relays + calls + [front]

    /// The one that the command line names.
    static let chosen: Target = {
        guard let target = all.first(where: { $0.name == CommandLine.arguments[2] }) else {
            fatalError("there is no target \(CommandLine.arguments[2]): \(all.map(\.name))")
        }
        return target
    }()
}
