import KubernetesAPI
import NestboxAPI

/// What all pods of a control-plane namespace have in common: no identity in the host, no privilege, nothing writable.
enum PodShape {
    /// nobody's number in distroless images: it owns nothing on the host.
    static let user = 65532

    static func base(_ settings: ClusterSettings) -> PodSpec {
        let controlPlane = settings.spec.controlPlane
        return PodSpec(
            nodeSelector: controlPlane?.nodeSelector, tolerations: controlPlane?.tolerations,
            priorityClassName: controlPlane?.priorityClassName ?? Defaults.priorityClassName,
            automountServiceAccountToken: false, enableServiceLinks: false,
            securityContext: PodSecurityContext(
                runAsNonRoot: true, runAsUser: user, runAsGroup: user, fsGroup: user, fsGroupChangePolicy: "OnRootMismatch",
                seccompProfile: SeccompProfile(type: "RuntimeDefault")))
    }

    static func container(
        _ settings: ClusterSettings, name: String, image: String, command: [String], requests: [String: String], capabilities: [String] = []
    ) -> Container {
        Container(
            name: name, image: image, imagePullPolicy: "IfNotPresent", command: command,
            resources: settings.spec.controlPlane?.resources?[name] ?? ResourceRequirements(requests: requests),
            securityContext: SecurityContext(
                allowPrivilegeEscalation: false, readOnlyRootFilesystem: true,
                capabilities: Capabilities(add: capabilities.isEmpty ? nil : capabilities, drop: ["ALL"])))
    }

    /// Readable by the group that the pod runs as, and by nobody else.
    static func secretVolume(_ secret: KeySecret) -> Volume {
        Volume(name: secret.rawValue, secret: SecretVolumeSource(secretName: secret.rawValue, defaultMode: 0o440))
    }

    static func secretMount(_ secret: KeySecret) -> VolumeMount {
        VolumeMount(name: secret.rawValue, mountPath: KeySecret.mountPath(secret), readOnly: true)
    }

    /// etcd's members by name, in /etc/hosts: certificates and configuration then name members, not addresses.
    static func etcdAliases(_ settings: ClusterSettings, _ serviceAddresses: [String]) -> [HostAlias] {
        zip(settings.etcdNames, serviceAddresses).map { HostAlias(ip: $0.1, hostnames: [$0.0]) }
    }
}
