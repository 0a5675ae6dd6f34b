import KubernetesAPI
import NestboxAPI

/// A copy of etcd's data, taken before etcd itself becomes another version: what an older one cannot open any more would else be all that
/// there is. It is taken by the new version's own image, which so is known to be there before anything is touched.
public enum EtcdSnapshot {
    /// The claim of the volume that the last snapshot is kept on.
    public static let claim = "etcd-snapshots"
    /// Of the Job's pods, as they are labelled.
    public static let component = Component.etcdSnapshot.rawValue
    private static let folder = "/snapshots"
    /// How long it may take.
    private static let limit = 900

    /// - Parameter image: of the etcd that is to come.
    public static func job(_ settings: ClusterSettings, image: String, serviceAddresses: [String]) -> Job {
        let tag = tag(of: image)
        let keys = "/etc/nestbox/etcd-client"
        var pod = PodShape.base(settings)
        pod.restartPolicy = "Never"
        pod.hostAliases = PodShape.etcdAliases(settings, serviceAddresses)
        pod.volumes = [
            Volume(name: "snapshots", persistentVolumeClaim: PersistentVolumeClaimVolumeSource(claimName: claim)),
            Volume(
                name: "keys",
                secret: SecretVolumeSource(
                    secretName: KeySecret.apiServer.rawValue,
                    items: ["etcd-ca.crt", "etcd-client.crt", "etcd-client.key"].map { KeyToPath(key: $0, path: $0) }, defaultMode: 0o440)),
        ]
        var container = PodShape.container(
            settings, name: "etcdctl", image: image,
            command: [
                "etcdctl", "--endpoints=https://\(NestboxName.etcdMember(0)):\(NestboxPort.etcdClients)", "--cacert=\(keys)/etcd-ca.crt",
                "--cert=\(keys)/etcd-client.crt", "--key=\(keys)/etcd-client.key", "snapshot", "save", "\(folder)/before-\(tag).db",
            ], requests: ["cpu": "10m", "memory": "32Mi"])
        container.env = [EnvVar(name: "ETCDCTL_API", value: "3")]
        container.volumeMounts = [
            VolumeMount(name: "snapshots", mountPath: folder), VolumeMount(name: "keys", mountPath: keys, readOnly: true),
        ]
        container.terminationMessagePolicy = "FallbackToLogsOnError"
        pod.containers = [container]
        let labels = settings.labels.merging([NestboxLabel.component: Component.etcdSnapshot.rawValue]) { own, _ in own }
        return Job(
            metadata: settings.metadata("etcd-snapshot-\(tag.lowercased())"),
            spec: JobSpec(
                template: PodTemplateSpec(metadata: ObjectMeta(labels: labels), spec: pod), backoffLimit: 2, activeDeadlineSeconds: limit))
    }

    /// The volume's claim: as large as one of etcd's.
    public static func volumeClaim(_ settings: ClusterSettings) -> PersistentVolumeClaim {
        let storage = settings.spec.etcd?.storage
        return PersistentVolumeClaim(
            metadata: settings.metadata(claim),
            spec: PersistentVolumeClaimSpec(
                accessModes: ["ReadWriteOnce"],
                resources: ResourceRequirements(requests: ["storage": storage?.size ?? Defaults.etcdStorageSize]),
                storageClassName: storage?.storageClassName))
    }

    /// In a name and a path.
    private static func tag(of image: String) -> String {
        let tag = EtcdImageReference(image).tag ?? "etcd"
        return String(tag.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }.prefix(32))
    }
}
