/// What `up` and `down` say while they work.
public enum LabEvent: Sendable, Equatable {
    case began(phase: String)
    case note(String)
    case ended(phase: String, after: Duration)
}

public typealias LabProgress = @Sendable (LabEvent) -> Void
