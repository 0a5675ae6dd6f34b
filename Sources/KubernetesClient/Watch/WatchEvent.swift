import KubernetesAPI

/// One line of a watch.
public enum WatchEvent<T: KubernetesObject>: Sendable, Equatable {
    case added(T)
    case modified(T)
    case deleted(T)
    /// Nothing happened up to this version: a watch may be resumed from it.
    case bookmark(resourceVersion: String)
    /// Something happened to an object that does not have the shape expected of its kind.
    case undecodable(UndecodableObject)

    /// Where a watch that breaks after this event is resumed.
    public var resourceVersion: String? {
        switch self {
        case .added(let object), .modified(let object), .deleted(let object): object.metadata.resourceVersion
        case .bookmark(let version): version
        case .undecodable(let object): object.resourceVersion
        }
    }
}

/// What is known of an object that could not be decoded.
public struct UndecodableObject: Error, Sendable, Equatable {
    /// The watch's word for what happened; nil in a list.
    public var event: String?
    public var namespace: String?
    public var name: String?
    public var resourceVersion: String?
    /// Where its shape differs from the expected one, without its values.
    public var reason: String

    public init(event: String? = nil, namespace: String? = nil, name: String? = nil, resourceVersion: String? = nil, reason: String) {
        self.event = event
        self.namespace = namespace
        self.name = name
        self.resourceVersion = resourceVersion
        self.reason = reason
    }
}

/// A line of a watch as it arrives: its type is read before its object, for that decides what the object is.
enum WatchFrame<T: KubernetesObject>: Decodable {
    case event(WatchEvent<T>)
    case error(Status)

    private enum CodingKeys: String, CodingKey { case type, object }

    /// What every object has, however wrong the rest of it is.
    private struct Anonymous: Decodable {
        struct Meta: Decodable {
            var name: String?
            var namespace: String?
            var resourceVersion: String?
        }
        var metadata: Meta?
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let type = try container.decode(String.self, forKey: .type)
        if type == "ERROR" {
            self = .error(try container.decode(Status.self, forKey: .object))
            return
        }
        if type == "BOOKMARK" {
            let meta = try container.decode(Anonymous.self, forKey: .object).metadata
            guard let version = meta?.resourceVersion, !version.isEmpty else {
                throw DecodingError.dataCorruptedError(forKey: .object, in: container, debugDescription: "a bookmark without a version")
            }
            self = .event(.bookmark(resourceVersion: version))
            return
        }
        do {
            guard let make = Self.events[type] else {
                throw DecodingError.dataCorruptedError(forKey: .type, in: container, debugDescription: "an unknown event")
            }
            self = .event(make(try container.decode(T.self, forKey: .object).typed))
        } catch {
            let meta = try? container.decode(Anonymous.self, forKey: .object).metadata
            let reason = Self.events[type] == nil ? "unknown event \(type)" : JSONCoding.outline(error, of: T.resourceType.kind)
            self = .event(
                .undecodable(
                    UndecodableObject(
                        event: type, namespace: meta?.namespace, name: meta?.name, resourceVersion: meta?.resourceVersion, reason: reason)))
        }
    }

    private static var events: [String: (T) -> WatchEvent<T>] {
        ["ADDED": { .added($0) }, "MODIFIED": { .modified($0) }, "DELETED": { .deleted($0) }]
    }
}
