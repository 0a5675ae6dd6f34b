import FoundationEssentials

extension JSONValue {
    /// Whatever a value is encoded as.
    public init(encoding value: some Encodable) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
    }
}
