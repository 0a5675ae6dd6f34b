/// `batch/v1`, as far as a Job that runs once is concerned.
public struct Job: KubernetesObject {
    public static let resourceType = ResourceType(group: "batch", version: "v1", kind: "Job", resource: "jobs")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: JobSpec?
    public var status: JobStatus?

    public init(metadata: ObjectMeta, spec: JobSpec? = nil, status: JobStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct JobSpec: Codable, Sendable, Equatable {
    public var template: PodTemplateSpec?
    public var backoffLimit: Int?
    public var activeDeadlineSeconds: Int?

    public init(template: PodTemplateSpec? = nil, backoffLimit: Int? = nil, activeDeadlineSeconds: Int? = nil) {
        self.template = template
        self.backoffLimit = backoffLimit
        self.activeDeadlineSeconds = activeDeadlineSeconds
    }
}

public struct JobStatus: Codable, Sendable, Equatable {
    public var active: Int?
    public var succeeded: Int?
    public var failed: Int?
    public var conditions: [StatusCondition]?
    public var startTime: String?
    public var completionTime: String?

    public init(
        active: Int? = nil, succeeded: Int? = nil, failed: Int? = nil, conditions: [StatusCondition]? = nil, startTime: String? = nil,
        completionTime: String? = nil
    ) {
        self.active = active
        self.succeeded = succeeded
        self.failed = failed
        self.conditions = conditions
        self.startTime = startTime
        self.completionTime = completionTime
    }
}
