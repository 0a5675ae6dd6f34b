import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// The tenant's etcd: TLS both ways with an authority of its own, data on a volume of the host.
enum EtcdStatefulSet {
    static func render(_ settings: ClusterSettings, serviceAddresses: [String], isBootstrapped: Bool) -> [any KubernetesObject] {
        [state(settings, isBootstrapped: isBootstrapped), statefulSet(settings, serviceAddresses: serviceAddresses)]
    }

    /// Whether an empty volume may become a new cluster. Read as an environment variable when a container starts, so that closing this
    /// door behind the bootstrap rolls nothing; from then on an etcd that finds its data gone refuses to start instead of serving an
    /// empty cluster.
    private static func state(_ settings: ClusterSettings, isBootstrapped: Bool) -> ConfigMap {
        ConfigMap(metadata: settings.metadata("etcd"), data: ["initial-cluster-state": isBootstrapped ? "existing" : "new"])
    }

    private static func statefulSet(_ settings: ClusterSettings, serviceAddresses: [String]) -> StatefulSet {
        let labels = settings.labels.merging([NestboxLabel.component: Component.etcd.rawValue]) { own, _ in own }
        var pod = PodShape.base(settings)
        pod.containers = [container(settings)]
        pod.volumes = [PodShape.secretVolume(.etcd)]
        pod.hostAliases = PodShape.etcdAliases(serviceAddresses)
        pod.terminationGracePeriodSeconds = 30
        if settings.etcdMembers > 1 { pod.affinity = PodShape.apart(settings, .etcd) }
        return StatefulSet(
            metadata: settings.metadata(NestboxName.etcdStatefulSet),
            spec: StatefulSetSpec(
                replicas: settings.etcdMembers, selector: settings.selector(.etcd), serviceName: NestboxName.etcdStatefulSet,
                template: PodTemplateSpec(metadata: ObjectMeta(labels: labels), spec: pod),
                volumeClaimTemplates: [claim(settings)], podManagementPolicy: "Parallel",
                updateStrategy: UpdateStrategy(type: "RollingUpdate")))
    }

    private static func claim(_ settings: ClusterSettings) -> PersistentVolumeClaim {
        let storage = settings.spec.etcd?.storage
        return PersistentVolumeClaim(
            metadata: ObjectMeta(name: "data", labels: settings.labels),
            spec: PersistentVolumeClaimSpec(
                accessModes: ["ReadWriteOnce"],
                resources: ResourceRequirements(requests: ["storage": storage?.size ?? Defaults.etcdStorageSize]),
                storageClassName: storage?.storageClassName))
    }

    private static func container(_ settings: ClusterSettings) -> Container {
        var container = PodShape.container(
            settings, name: "etcd", image: image(settings), command: ["etcd"] + Arguments.render(arguments(settings)),
            requests: ["cpu": "25m", "memory": "96Mi"])
        container.env = [
            EnvVar(name: "NAME", valueFrom: EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: "metadata.name"))),
            EnvVar(
                name: "ETCD_INITIAL_CLUSTER_STATE",
                valueFrom: EnvVarSource(configMapKeyRef: KeySelector(name: "etcd", key: "initial-cluster-state"))),
        ]
        container.ports = [
            ContainerPort(name: "clients", containerPort: NestboxPort.etcdClients, protocol: "TCP"),
            ContainerPort(name: "peers", containerPort: NestboxPort.etcdPeers, protocol: "TCP"),
            ContainerPort(name: "metrics", containerPort: NestboxPort.etcdMetrics, protocol: "TCP"),
        ]
        container.volumeMounts = [
            VolumeMount(name: "data", mountPath: "/var/lib/etcd"), PodShape.secretMount(.etcd),
        ]
        // A database that is full, or that has lost its quorum, is not mended by killing it: only a process that hangs is.
        container.livenessProbe = Probe(
            tcpSocket: TCPSocketAction(port: .int(NestboxPort.etcdMetrics)), timeoutSeconds: 15, periodSeconds: 10, failureThreshold: 8)
        container.readinessProbe = Probe(
            httpGet: HTTPGetAction(path: "/health", port: .int(NestboxPort.etcdMetrics), scheme: "HTTP"), timeoutSeconds: 5,
            periodSeconds: 2, failureThreshold: 5)
        return container
    }

    static func image(_ settings: ClusterSettings) -> String {
        settings.spec.etcd?.image ?? "\(settings.imageRegistry)/etcd:\(settings.version.etcdImageTag)"
    }

    private static func arguments(_ settings: ClusterSettings) -> [String: String] {
        let directory = KeySecret.mountPath(.etcd)
        let members = (0..<settings.etcdMembers).map(NestboxName.etcdMember)
        let tag = image(settings).split(separator: ":").last ?? ""
        let version = ProgramVersion(tag) ?? ProgramVersion(settings.version.etcdImageTag) ?? ProgramVersion(3, 6)
        let own: [String: String] = [
            "name": "$(NAME)",
            "data-dir": "/var/lib/etcd/data",
            "listen-client-urls": "https://0.0.0.0:\(NestboxPort.etcdClients)",
            "advertise-client-urls": "https://$(NAME):\(NestboxPort.etcdClients)",
            "listen-peer-urls": "https://0.0.0.0:\(NestboxPort.etcdPeers)",
            "initial-advertise-peer-urls": "https://$(NAME):\(NestboxPort.etcdPeers)",
            "initial-cluster": members.map { "\($0)=https://\($0):\(NestboxPort.etcdPeers)" }.joined(separator: ","),
            "initial-cluster-token": settings.uid,
            // Plain HTTP, for probes and scrapes; it holds no data of the tenant's, and the network policy keeps it in.
            "listen-metrics-urls": "http://0.0.0.0:\(NestboxPort.etcdMetrics)",
            "client-cert-auth": "true",
            "trusted-ca-file": "\(directory)/ca.crt",
            "cert-file": "\(directory)/server.crt",
            "key-file": "\(directory)/server.key",
            "peer-client-cert-auth": "true",
            // A member calls from its pod, whose address is in no certificate: it is known by its name in it, which no client's has.
            "peer-cert-allowed-cn": Leaf.etcdCommonName,
            EtcdFlags.peerSkipClientSANVerification(etcd: version): "true",
            "peer-trusted-ca-file": "\(directory)/ca.crt",
            "peer-cert-file": "\(directory)/peer.crt",
            "peer-key-file": "\(directory)/peer.key",
            "quota-backend-bytes": String(quota(settings.spec.etcd?.storage?.size)),
            "snapshot-count": "10000",
        ]
        return Arguments.adding(settings.spec.controlPlane?.extraArguments?.etcd, to: own)
    }

    /// Three quarters of the volume, and 8 GiB at most, which is what etcd recommends.
    private static func quota(_ size: String?) -> Int {
        let bytes = Quantity(size ?? Defaults.etcdStorageSize)?.value ?? 0
        return Int(min(max(bytes * 0.75, 64 * 1_048_576), 8 * 1_073_741_824))
    }
}
