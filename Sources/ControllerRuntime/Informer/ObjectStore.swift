import KubernetesAPI
import KubernetesClient

/// The objects an informer knows, with their indexes. Pure.
struct ObjectStore<T: KubernetesObject> {
    typealias IndexValues = @Sendable (T) -> [String]

    private(set) var objects: [ObjectKey: T] = [:]
    /// Objects that exist but whose present form cannot be decoded; `objects` may still hold an older form of them.
    private(set) var undecodable: [ObjectKey: UndecodableObject] = [:]
    private var indexValues: [String: IndexValues] = [:]
    private var indexes: [String: [String: Set<ObjectKey>]] = [:]

    mutating func addIndex(_ name: String, _ values: @escaping IndexValues) {
        indexValues[name] = values
        indexes[name] = [:]
        for (key, object) in objects { index(object, key, in: name, values) }
    }

    func list(index: String, _ value: String) -> [T] {
        (indexes[index]?[value] ?? []).compactMap { objects[$0] }
    }

    /// Takes a whole list for the present state, and tells how that differs from what was known.
    mutating func replace(with items: [T], undecodable seen: [UndecodableObject]) -> [InformerChange<T>] {
        var gone = Set(objects.keys)
        var changes: [InformerChange<T>] = []
        undecodable = [:]
        for item in items {
            gone.remove(ObjectKey(item))
            if let change = put(item) { changes.append(change) }
        }
        for object in seen {
            guard let key = object.key else { continue }
            // It is there, so it was not deleted: its last known form stays.
            gone.remove(key)
            undecodable[key] = object
        }
        for key in gone { if let change = remove(key) { changes.append(change) } }
        return changes
    }

    mutating func apply(_ event: WatchEvent<T>) -> InformerChange<T>? {
        switch event {
        case .added(let object), .modified(let object): return put(object)
        case .deleted(let object):
            // The event carries the object's last state, which the store may not have seen.
            let key = ObjectKey(object)
            return remove(key).map { _ in .deleted(object) }
        case .bookmark: return nil
        case .undecodable(let object):
            guard let key = object.key else { return nil }
            if object.event == "DELETED" { return remove(key) }
            undecodable[key] = object
            return nil
        }
    }

    private mutating func put(_ object: T) -> InformerChange<T>? {
        let key = ObjectKey(object)
        undecodable[key] = nil
        let old = objects[key]
        if let old, let version = object.metadata.resourceVersion, version == old.metadata.resourceVersion { return nil }
        if let old { unindex(old, key) }
        objects[key] = object
        for (name, values) in indexValues { index(object, key, in: name, values) }
        return old.map { .updated(old: $0, new: object) } ?? .added(object)
    }

    private mutating func remove(_ key: ObjectKey) -> InformerChange<T>? {
        undecodable[key] = nil
        guard let old = objects.removeValue(forKey: key) else { return nil }
        unindex(old, key)
        return .deleted(old)
    }

    private mutating func index(_ object: T, _ key: ObjectKey, in name: String, _ values: IndexValues) {
        for value in values(object) { indexes[name, default: [:]][value, default: []].insert(key) }
    }

    private mutating func unindex(_ object: T, _ key: ObjectKey) {
        for (name, values) in indexValues {
            for value in values(object) {
                indexes[name]?[value]?.remove(key)
                if indexes[name]?[value]?.isEmpty == true { indexes[name]?[value] = nil }
            }
        }
    }
}

extension UndecodableObject {
    fileprivate var key: ObjectKey? { name.map { ObjectKey(namespace: namespace, name: $0) } }
}
