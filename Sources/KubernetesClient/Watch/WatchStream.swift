import AsyncHTTPClient
import KubernetesAPI
import Logging
import NIOCore
import NIOHTTP1

/// The events of one watch, until the server or the connection ends it.
///
/// Bytes are read as events are asked for, so a slow consumer slows the server down and nothing piles up here. A clean end
/// is the end of the sequence; a cut or dead connection and a server's ERROR are thrown, 410 as `KubernetesError.Code.expired`.
public struct WatchStream<T: KubernetesObject>: AsyncSequence, Sendable {
    public typealias Element = WatchEvent<T>

    let transport: Transport
    let request: APIRequest
    let frameLimit: Int

    public func makeAsyncIterator() -> Iterator {
        Iterator(transport: transport, request: request, framer: NewlineFramer(limit: frameLimit))
    }

    public struct Iterator: AsyncIteratorProtocol {
        let transport: Transport
        let request: APIRequest
        var framer: NewlineFramer
        var body: HTTPClientResponse.Body.AsyncIterator?
        var finished = false

        public mutating func next() async throws -> WatchEvent<T>? {
            guard !finished else { return nil }
            do {
                let event = try await advance()
                if event == nil { finish() }
                return event
            } catch {
                finish()
                try Task.checkCancellation()
                throw (error as? TransportFailure)?.error ?? error
            }
        }

        /// Letting go of the body ends the stream on the connection.
        private mutating func finish() {
            finished = true
            body = nil
        }

        private mutating func advance() async throws -> WatchEvent<T>? {
            if body == nil { body = try await open().makeAsyncIterator() }
            while true {
                do {
                    if let frame = try framer.next() { return try interpret(frame) }
                } catch let error as NewlineFramer.FrameTooLong {
                    throw request.error(.undecodable, detail: "an event is longer than \(error.limit) bytes")
                }
                let chunk: ByteBuffer?
                do {
                    chunk = try await body?.next()
                } catch {
                    throw TransportFailure(error, of: request, to: transport.metrics.host)
                }
                guard let chunk else {
                    try Task.checkCancellation()
                    guard framer.pendingBytes == 0 else {
                        throw request.error(.unreachable, detail: "the connection ended within an event")
                    }
                    return nil
                }
                framer.append(chunk.readableBytesView)
            }
        }

        private func open() async throws -> HTTPClientResponse.Body {
            let response = try await transport.exchange(request)
            guard response.status == .ok else {
                let body = (try? await response.body.collect(upTo: 1 << 20)) ?? ByteBuffer()
                let after = Transport.retryAfter(response.headers["retry-after"].first)
                throw APIAnswer.refusal(of: request, status: Int(response.status.code), retryAfter: after, body: body)
            }
            return response.body
        }

        private func interpret(_ frame: ArraySlice<UInt8>) throws -> WatchEvent<T> {
            let decoded: WatchFrame<T>
            do {
                decoded = try JSONCoding.decode(WatchFrame<T>.self, from: frame)
            } catch {
                throw request.error(.undecodable, detail: JSONCoding.outline(error, of: "watch event"))
            }
            switch decoded {
            case .event(let event):
                if case .undecodable(let object) = event {
                    transport.metrics.undecodable("\(T.resourceType)")
                    transport.logger.warning(
                        "cannot decode an object of a watch",
                        metadata: ["resource": "\(T.resourceType)", "name": "\(object.name ?? "?")", "reason": "\(object.reason)"])
                }
                return event
            case .error(let status):
                var error = request.error(status.code == 410 || status.reason == "Expired" ? .expired : .refused)
                error.status = status
                error.httpStatus = status.code
                error.retryAfter = status.details?.retryAfterSeconds.flatMap { $0 > 0 ? .seconds($0) : nil }
                throw error
            }
        }
    }
}

extension KubernetesClient {
    /// etcd takes objects of 1.5 MB; this leaves room for what the server adds, and bounds what a broken one can make us hold.
    static let longestWatchFrame = 16 << 20

    /// One watch from a resourceVersion until the server or the connection ends it; the Informer is what survives that.
    public func watch<T: KubernetesObject>(
        _ type: T.Type = T.self, namespace: String? = nil, labels: String? = nil, fields: String? = nil, resourceVersion: String
    ) -> WatchStream<T> {
        let query = WatchQuery(
            labels: labels, fields: fields, resourceVersion: resourceVersion,
            timeoutSeconds: Int.random(in: configuration.timeouts.watch))
        var request = APIRequest(.get, path: ResourcePath.path(T.resourceType, namespace: namespace), query: query.items)
        request.verb = "watch"
        request.object = namespace.map { "\(T.resourceType) in \($0)" } ?? "\(T.resourceType)"
        return WatchStream(transport: transport, request: request, frameLimit: Self.longestWatchFrame)
    }
}

/// The query of a watch. The resourceVersion belongs here: as a header the server ignores it, and the watch starts anywhere.
struct WatchQuery: Sendable {
    var labels: String?
    var fields: String?
    var resourceVersion: String
    var timeoutSeconds: Int

    var items: [(String, String)] {
        var items = [("watch", "true"), ("allowWatchBookmarks", "true"), ("resourceVersion", resourceVersion)]
        items.append(("timeoutSeconds", "\(timeoutSeconds)"))
        if let labels { items.append(("labelSelector", labels)) }
        if let fields { items.append(("fieldSelector", fields)) }
        return items
    }
}
