public struct Event: KubernetesObject {
    public static let resourceType = ResourceType(kind: "Event", resource: "events")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var involvedObject: ObjectReference?
    public var type: String?
    public var reason: String?
    public var message: String?
    public var source: EventSource?
    public var count: Int?
    public var firstTimestamp: String?
    public var lastTimestamp: String?
    /// RFC 3339 with microseconds.
    public var eventTime: String?
    public var action: String?
    public var reportingComponent: String?
    public var reportingInstance: String?
    public var series: EventSeries?
    public var related: ObjectReference?

    public init(
        metadata: ObjectMeta, involvedObject: ObjectReference? = nil, type: String? = nil, reason: String? = nil,
        message: String? = nil, source: EventSource? = nil, count: Int? = nil, firstTimestamp: String? = nil,
        lastTimestamp: String? = nil, eventTime: String? = nil, action: String? = nil, reportingComponent: String? = nil,
        reportingInstance: String? = nil, series: EventSeries? = nil, related: ObjectReference? = nil
    ) {
        self.metadata = metadata
        self.involvedObject = involvedObject
        self.type = type
        self.reason = reason
        self.message = message
        self.source = source
        self.count = count
        self.firstTimestamp = firstTimestamp
        self.lastTimestamp = lastTimestamp
        self.eventTime = eventTime
        self.action = action
        self.reportingComponent = reportingComponent
        self.reportingInstance = reportingInstance
        self.series = series
        self.related = related
    }
}

public struct EventSource: Codable, Sendable, Equatable {
    public var component: String?
    public var host: String?

    public init(component: String? = nil, host: String? = nil) {
        self.component = component
        self.host = host
    }
}

public struct EventSeries: Codable, Sendable, Equatable {
    public var count: Int?
    public var lastObservedTime: String?

    public init(count: Int? = nil, lastObservedTime: String? = nil) {
        self.count = count
        self.lastObservedTime = lastObservedTime
    }
}
