import KubernetesAPI

/// What kube-apiserver writes down of its requests, and where it goes.
public struct AuditSpec: Codable, Sendable, Equatable {
    /// A Policy of `audit.k8s.io/v1`, as kube-apiserver reads it.
    public var policy: [String: JSONValue]?
    /// Standard output unless set; without a webhook there is always a log.
    public var log: AuditLogSpec?
    public var webhook: AuditWebhookSpec?

    public init(policy: [String: JSONValue]? = nil, log: AuditLogSpec? = nil, webhook: AuditWebhookSpec? = nil) {
        self.policy = policy
        self.log = log
        self.webhook = webhook
    }
}

public struct AuditLogSpec: Codable, Sendable, Equatable {
    /// `Stdout`, which the host's log collection takes as any container's, or `File`, in a volume of the pod's that goes with it.
    public var destination: AuditLogDestination?
    /// Of `File`: days, number and megabytes of the files that are kept.
    public var maxAge: Int?
    public var maxBackup: Int?
    public var maxSize: Int?

    public init(destination: AuditLogDestination? = nil, maxAge: Int? = nil, maxBackup: Int? = nil, maxSize: Int? = nil) {
        self.destination = destination
        self.maxAge = maxAge
        self.maxBackup = maxBackup
        self.maxSize = maxSize
    }
}

public enum AuditLogDestination: String, Codable, Sendable, CaseIterable {
    case standardOutput = "Stdout"
    case file = "File"
}

/// Where events are sent in batches.
public struct AuditWebhookSpec: Codable, Sendable, Equatable {
    /// A Secret beside the HostedCluster that holds, under `kubeconfig`, how the webhook is reached, with all certificates inline.
    public var kubeconfigSecret: String?

    public init(kubeconfigSecret: String? = nil) { self.kubeconfigSecret = kubeconfigSecret }
}

extension AuditSpec {
    /// A webhook alone needs no log.
    public var hasLog: Bool { log != nil || webhook == nil }

    public var logsToFile: Bool { log?.destination == .file }
}
