/// What went wrong in the store: which artifact, what was tried, what came back and what to do next.
public struct ArtifactError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// No source has it; another source, or another time, may.
        case notAvailable
        /// It came, and is not what its publisher's checksum says.
        case checksumMismatch
        /// A program that Nestbox runs failed.
        case commandFailed
        /// Programs or files that Nestbox needs on this computer are not there.
        case missingTools
        /// What the user named is not what it should be.
        case invalidInput
        /// The store's own files could not be read or written.
        case storage
    }

    public var kind: Kind
    public var message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
}

/// Called with one line for a person whenever a new step begins or a long one moves on.
public typealias ArtifactProgress = @Sendable (String) -> Void
