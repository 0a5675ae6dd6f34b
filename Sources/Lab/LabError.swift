/// Why the lab could not do what it was asked: what was tried, what came back, what to do next.
public struct LabError: Error, Sendable, Equatable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
