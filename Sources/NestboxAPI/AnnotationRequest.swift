import FoundationEssentials

/// What a person asks an operator about one object, now: an annotation's JSON. The newest one counts; what came of it is in the status,
/// under the same id. Who may change the object may ask.
public protocol AnnotationRequest: Codable, Sendable {
    /// The annotation's key.
    static var annotation: String { get }
    /// Made up for each.
    var id: String { get }
}

extension AnnotationRequest {
    /// Bytes that a request may have.
    private static var longest: Int { 16_384 }

    /// From the annotation; nil when it is none that can be answered.
    public init?(annotation text: String) {
        guard text.utf8.count <= Self.longest, let request = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)),
            (1...64).contains(request.id.utf8.count), Syntax.labelValue.accepts(request.id)
        else { return nil }
        self = request
    }

    /// As it is written into the annotation.
    public var annotationText: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
