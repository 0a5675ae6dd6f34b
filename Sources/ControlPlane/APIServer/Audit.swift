import KubernetesAPI
import NestboxAPI

/// kube-apiserver's audit: its policy, and where events go.
///
/// To standard output unless the spec says otherwise: what collects the host's containers' logs collects them too. A file lies on a
/// volume of the pod's, for collectors that read those, and goes with the pod. The webhook is called through the tunnel, for its URL
/// may be the tenant's.
enum Audit {
    static let policyFile = "audit-policy.json"
    private static let webhookSecret = NestboxName.auditWebhookSecret
    private static let logDirectory = "/var/log/nestbox/audit"
    private static let webhookDirectory = "/etc/nestbox/audit-webhook"

    /// The policy as kube-apiserver reads it; nil where nothing is recorded.
    static func policy(_ settings: ClusterSettings) -> String? {
        settings.spec.controlPlane?.audit?.policy.map { JSONValue.object($0).prettyText }
    }

    static func arguments(_ settings: ClusterSettings, webhook: Bool) -> [String: String] {
        guard let audit = settings.spec.controlPlane?.audit, audit.policy != nil else { return [:] }
        var arguments = ["audit-policy-file": "\(APIServer.configurationDirectory)/\(policyFile)"]
        if audit.hasLog { arguments["audit-log-path"] = audit.logsToFile ? "\(logDirectory)/audit.log" : "-" }
        if audit.logsToFile {
            arguments["audit-log-maxage"] = audit.log?.maxAge.map(String.init)
            arguments["audit-log-maxbackup"] = String(kept(audit))
            arguments["audit-log-maxsize"] = String(size(audit))
        }
        if webhook { arguments["audit-webhook-config-file"] = "\(webhookDirectory)/kubeconfig" }
        return arguments
    }

    static func mounts(_ settings: ClusterSettings, webhook: Bool) -> [VolumeMount] {
        var mounts: [VolumeMount] = []
        if settings.spec.controlPlane?.audit?.logsToFile == true { mounts.append(VolumeMount(name: "audit-log", mountPath: logDirectory)) }
        if webhook { mounts.append(VolumeMount(name: webhookSecret, mountPath: webhookDirectory, readOnly: true)) }
        return mounts
    }

    static func volumes(_ input: ControlPlaneInput) -> [Volume] {
        var volumes: [Volume] = []
        if let audit = input.settings.spec.controlPlane?.audit, audit.logsToFile {
            // The files that are kept, the one that is written and one that is being put aside.
            let limit = "\(size(audit) * (kept(audit) + 2))Mi"
            volumes.append(Volume(name: "audit-log", emptyDir: EmptyDirVolumeSource(sizeLimit: limit)))
        }
        if input.auditWebhook != nil {
            volumes.append(Volume(name: webhookSecret, secret: SecretVolumeSource(secretName: webhookSecret, defaultMode: 0o440)))
        }
        return volumes
    }

    /// A copy of the Secret beside the HostedCluster, where the pods can mount it.
    static func secrets(_ input: ControlPlaneInput) -> [any KubernetesObject] {
        guard let kubeconfig = input.auditWebhook else { return [] }
        return [
            Secret(metadata: input.settings.metadata(webhookSecret), type: "Opaque", data: ["kubeconfig": Base64(text: kubeconfig)])
        ]
    }

    static func unwanted(_ settings: ClusterSettings) -> [any KubernetesObject] {
        settings.spec.controlPlane?.audit?.webhook == nil ? [Secret(metadata: settings.metadata(webhookSecret))] : []
    }

    private static func size(_ audit: AuditSpec) -> Int { audit.log?.maxSize ?? 100 }
    private static func kept(_ audit: AuditSpec) -> Int { audit.log?.maxBackup ?? 3 }
}
