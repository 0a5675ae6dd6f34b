import FoundationEssentials
import NIOCore

/// JSON as the Kubernetes API takes and gives it.
enum JSONCoding {
    static func decode<Value: Decodable>(_ type: Value.Type, from buffer: ByteBuffer) throws -> Value {
        try decode(type, from: buffer.readableBytesView)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Collection<UInt8>) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes))
    }

    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    /// Where and why coding stopped, without the values: they may be a Secret's.
    static func outline(_ error: any Error, of what: String) -> String {
        func at(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
            return path.isEmpty ? "" : " at \(path)"
        }
        switch error {
        case DecodingError.typeMismatch(let type, let context): return "not a \(what): \(type) expected\(at(context))"
        case DecodingError.valueNotFound(let type, let context): return "not a \(what): \(type) expected, null found\(at(context))"
        case DecodingError.keyNotFound(let key, let context): return "not a \(what): \(key.stringValue) is missing\(at(context))"
        case DecodingError.dataCorrupted(let context): return "not a \(what): malformed value\(at(context))"
        case is EncodingError: return "this \(what) cannot be written as JSON"
        default: return "not a \(what)"
        }
    }
}
