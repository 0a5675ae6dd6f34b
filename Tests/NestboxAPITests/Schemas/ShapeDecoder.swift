import KubernetesAPI
import KubernetesVersions

/// Finds out what a Swift type decodes by letting it decode: a decoder that has whatever it is asked for, and takes notes.
final class ShapeDecoder: Decoder {
    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]
    fileprivate(set) var shape: Shape?

    static func shape<T: Decodable>(of type: T.Type) throws -> Shape { try value(of: type).shape }

    /// A value of the type, and its shape.
    fileprivate static func value<T: Decodable>(of type: T.Type) throws -> (value: T, shape: Shape) {
        if let value = KubernetesVersion(1, 20, 2) as? T { return (value, .string(oneOf: nil)) }
        if let value = JSONValue.null as? T { return (value, .any) }
        if let value = IntOrString.int(1) as? T { return (value, .integerOrString) }
        if let cases = type as? any CaseIterable.Type, let (first, names) = self.cases(cases), let value = first as? T {
            return (value, .string(oneOf: names))
        }
        let decoder = ShapeDecoder()
        let value = try T(from: decoder)
        guard let shape = decoder.shape else { throw ShapeError(description: "\(type) decodes nothing") }
        return (value, shape)
    }

    private static func cases<T: CaseIterable>(_ type: T.Type) -> (Any, Set<String>)? {
        let names = type.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
        guard let first = type.allCases.first, names.count == type.allCases.count else { return nil }
        return (first, Set(names))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        shape = .object([:])
        return KeyedDecodingContainer(KeyedNotes(decoder: self))
    }

    func unkeyedContainer() -> any UnkeyedDecodingContainer { ElementNotes(decoder: self) }

    func singleValueContainer() -> any SingleValueDecodingContainer { ValueNotes(decoder: self) }

    fileprivate func note(_ name: String, _ shape: Shape, isRequired: Bool) {
        if case .object(var members) = self.shape {
            members[name] = Shape.Member(shape: shape, isRequired: isRequired)
            self.shape = .object(members)
        } else {
            self.shape = .map(shape)
        }
    }
}

private struct KeyedNotes<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: ShapeDecoder
    let codingPath: [any CodingKey] = []

    /// A dictionary asks for them, a struct knows its own.
    var allKeys: [Key] {
        decoder.shape = nil
        return Key(stringValue: "key").map { [$0] } ?? []
    }

    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) -> Bool { false }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        let (value, shape) = try ShapeDecoder.value(of: type)
        decoder.note(key.stringValue, shape, isRequired: true)
        return value
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        let (value, shape) = try ShapeDecoder.value(of: type)
        decoder.note(key.stringValue, shape, isRequired: false)
        return value
    }

    // The protocol's own forms for single values would go past `decodeIfPresent` above.
    func decodeIfPresent(_ type: String.Type, forKey key: Key) -> String? {
        decoder.note(key.stringValue, .string(oneOf: nil), isRequired: false)
        return ""
    }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) -> Int? {
        decoder.note(key.stringValue, .integer, isRequired: false)
        return 0
    }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) -> Bool? {
        decoder.note(key.stringValue, .boolean, isRequired: false)
        return false
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        throw ShapeError(description: "nested containers are not looked into")
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw ShapeError(description: "nested containers are not looked into")
    }
    func superDecoder() -> any Decoder { decoder }
    func superDecoder(forKey key: Key) -> any Decoder { decoder }
}

/// An array of one element.
private struct ElementNotes: UnkeyedDecodingContainer {
    let decoder: ShapeDecoder
    let codingPath: [any CodingKey] = []
    var count: Int? { 1 }
    var currentIndex = 0
    var isAtEnd: Bool { currentIndex > 0 }

    mutating func decodeNil() -> Bool { false }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let (value, shape) = try ShapeDecoder.value(of: type)
        currentIndex += 1
        decoder.shape = .array(shape)
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        throw ShapeError(description: "nested containers are not looked into")
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw ShapeError(description: "nested containers are not looked into")
    }
    mutating func superDecoder() -> any Decoder { decoder }
}

private struct ValueNotes: SingleValueDecodingContainer {
    let decoder: ShapeDecoder
    let codingPath: [any CodingKey] = []

    func decodeNil() -> Bool { false }

    func decode(_ type: String.Type) -> String {
        decoder.shape = .string(oneOf: nil)
        return ""
    }
    func decode(_ type: Int.Type) -> Int {
        decoder.shape = .integer
        return 0
    }
    func decode(_ type: Bool.Type) -> Bool {
        decoder.shape = .boolean
        return false
    }
    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let (value, shape) = try ShapeDecoder.value(of: type)
        decoder.shape = shape
        return value
    }
}
