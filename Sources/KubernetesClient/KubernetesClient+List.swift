import KubernetesAPI

extension KubernetesClient {
    /// client-go's page size.
    static let pageSize = 500

    /// Reads all objects (of a namespace), page by page; an object that does not decode fails the whole list.
    public func list<T: KubernetesObject>(
        _ type: T.Type = T.self, namespace: String? = nil, labels: String? = nil, fields: String? = nil
    ) async throws -> ObjectList<T> {
        let listing = try await listTolerantly(type, namespace: namespace, labels: labels, fields: fields)
        if let object = listing.undecodable.first {
            let name = [object.namespace, object.name].compactMap { $0 }.joined(separator: "/")
            throw KubernetesError(
                code: .undecodable, verb: "list", object: "\(T.resourceType)", detail: "\(name): \(object.reason)")
        }
        return ObjectList(metadata: ListMeta(resourceVersion: listing.resourceVersion), items: listing.items)
    }

    /// As `list`, but an object that does not decode is reported beside the others: one of them must not blind an informer.
    public func listTolerantly<T: KubernetesObject>(
        _ type: T.Type = T.self, namespace: String? = nil, labels: String? = nil, fields: String? = nil
    ) async throws -> Listing<T> {
        do {
            return try await pages(type, namespace: namespace, labels: labels, fields: fields, limit: Self.pageSize)
        } catch let error as KubernetesError where error.isExpired {
            // The continue token outlived what the server keeps: once more, in one piece, which cannot expire.
            return try await pages(type, namespace: namespace, labels: labels, fields: fields, limit: nil)
        }
    }

    func pages<T: KubernetesObject>(
        _ type: T.Type, namespace: String?, labels: String?, fields: String?, limit: Int?
    ) async throws -> Listing<T> {
        var listing = Listing<T>(items: [], undecodable: [], resourceVersion: "")
        var next: String?
        repeat {
            var request = try APIRequest(.get, "list", T.resourceType, namespace: namespace)
            if let limit { request.query.append(("limit", "\(limit)")) }
            if let labels { request.query.append(("labelSelector", labels)) }
            if let fields { request.query.append(("fieldSelector", fields)) }
            if let next { request.query.append(("continue", next)) }
            let page = try await decode(Page<T>.self, of: request)
            listing.items += page.items
            listing.undecodable += page.undecodable
            listing.resourceVersion = page.metadata.resourceVersion ?? listing.resourceVersion
            next = page.metadata.continue.flatMap { $0.isEmpty ? nil : $0 }
        } while next != nil
        for _ in listing.undecodable { transport.metrics.undecodable("\(T.resourceType)") }
        return listing
    }
}

/// What a list found.
public struct Listing<T: KubernetesObject>: Sendable {
    public var items: [T]
    public var undecodable: [UndecodableObject]
    /// Where a watch goes on.
    public var resourceVersion: String
}

/// One page of a list; each item is decoded by itself.
private struct Page<T: KubernetesObject>: Decodable {
    var metadata: ListMeta
    var items: [T] = []
    var undecodable: [UndecodableObject] = []

    private enum CodingKeys: String, CodingKey { case metadata, items }

    private struct Anonymous: Decodable {
        struct Meta: Decodable {
            var name: String?
            var namespace: String?
            var resourceVersion: String?
        }
        var metadata: Meta?
    }

    private enum Item: Decodable {
        case object(T)
        case undecodable(UndecodableObject)

        init(from decoder: any Decoder) throws {
            do {
                self = .object(try T(from: decoder))
            } catch {
                let meta = try? Anonymous(from: decoder).metadata
                self = .undecodable(
                    UndecodableObject(
                        namespace: meta?.namespace, name: meta?.name, resourceVersion: meta?.resourceVersion,
                        reason: JSONCoding.outline(error, of: T.resourceType.kind)))
            }
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try container.decode(ListMeta.self, forKey: .metadata)
        for item in try container.decodeIfPresent([Item].self, forKey: .items) ?? [] {
            switch item {
            case .object(let object): items.append(object.typed)
            case .undecodable(let object): undecodable.append(object)
            }
        }
    }
}
