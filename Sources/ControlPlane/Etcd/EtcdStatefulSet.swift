import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// The tenant's etcd: TLS both ways with an authority of its own, data on a volume of the host.
enum EtcdStatefulSet {
    static func render(_ input: ControlPlaneInput) -> [any KubernetesObject] { [state(input), statefulSet(input)] }

    /// What an empty volume may become: part of a new cluster, a member that joins, or nothing. Read as environment variables when a
    /// container starts, so that closing this door behind the bootstrap, or opening it for one member that joins, rolls nothing.
    private static func state(_ input: ControlPlaneInput) -> ConfigMap {
        var data = ["initial-cluster-state": input.isBootstrapped ? "existing" : "new"]
        if input.settings.template != .first { data["initial-cluster"] = initialCluster(input) }
        return ConfigMap(metadata: input.settings.metadata("etcd"), data: data)
    }

    /// With this list, in which it does not find its own name, an etcd that has no data refuses to start, and says so. One that has data
    /// does not read it.
    ///
    /// It must refuse: a voter that came back empty under its old id would have forgotten what it had acknowledged, and with another such
    /// one, or one that lags, could outvote those who remember. What lost its data is removed and joins anew, as a learner.
    private static let nobody = "nobody"

    private static func initialCluster(_ input: ControlPlaneInput) -> String {
        if let joining = input.scale.joining { return list(joining.map(NestboxName.etcdMember)) }
        return list(input.isBootstrapped ? [nobody] : (0..<input.scale.etcdPods).map(NestboxName.etcdMember))
    }

    private static func list(_ members: [String]) -> String {
        members.map { "\($0)=https://\($0):\(NestboxPort.etcdPeers)" }.joined(separator: ",")
    }

    private static func statefulSet(_ input: ControlPlaneInput) -> StatefulSet {
        let settings = input.settings
        let labels = settings.labels.merging([NestboxLabel.component: Component.etcd.rawValue]) { own, _ in own }
        var pod = PodShape.base(settings)
        pod.containers = [container(input)]
        pod.volumes = [PodShape.secretVolume(.etcd)]
        pod.hostAliases = PodShape.etcdAliases(settings, input.etcdServiceAddresses)
        pod.terminationGracePeriodSeconds = 30
        Placement.place(&pod, input, .etcd)
        return StatefulSet(
            metadata: settings.metadata(NestboxName.etcdStatefulSet),
            spec: StatefulSetSpec(
                replicas: input.scale.etcdPods, selector: settings.selector(.etcd), serviceName: NestboxName.etcdStatefulSet,
                template: PodTemplateSpec(metadata: ObjectMeta(labels: labels), spec: pod),
                volumeClaimTemplates: [claim(settings)], podManagementPolicy: "Parallel",
                // The operator replaces the pods: a StatefulSet takes the highest away first, whoever else is missing.
                updateStrategy: UpdateStrategy(type: "OnDelete")))
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

    private static func container(_ input: ControlPlaneInput) -> Container {
        let settings = input.settings
        var container = PodShape.container(
            settings, name: "etcd", image: image(input), command: ["etcd"] + Arguments.render(arguments(input)),
            requests: ["cpu": "25m", "memory": "96Mi"])
        container.env = [
            EnvVar(name: "NAME", valueFrom: EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: "metadata.name"))),
            EnvVar(
                name: "ETCD_INITIAL_CLUSTER_STATE",
                valueFrom: EnvVarSource(configMapKeyRef: KeySelector(name: "etcd", key: "initial-cluster-state"))),
        ]
        if settings.template != .first {
            container.env?.append(
                EnvVar(
                    name: "ETCD_INITIAL_CLUSTER",
                    valueFrom: EnvVarSource(configMapKeyRef: KeySelector(name: "etcd", key: "initial-cluster"))))
            // So that the operator reads why a member does not start.
            container.terminationMessagePolicy = "FallbackToLogsOnError"
        }
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

    static func image(_ input: ControlPlaneInput) -> String {
        input.settings.spec.etcd?.image ?? "\(input.settings.imageRegistry)/etcd:\(input.etcdImageTag)"
    }

    private static func arguments(_ input: ControlPlaneInput) -> [String: String] {
        let settings = input.settings
        let directory = KeySecret.mountPath(.etcd)
        let version =
            EtcdImageReference(image(input)).version ?? EtcdImageReference.version(ofTag: settings.version.etcdImageTag)
            ?? ProgramVersion(3, 6)
        var own = [
            "name": "$(NAME)",
            "data-dir": "/var/lib/etcd/data",
            "listen-client-urls": "https://0.0.0.0:\(NestboxPort.etcdClients)",
            "advertise-client-urls": "https://$(NAME):\(NestboxPort.etcdClients)",
            "listen-peer-urls": "https://0.0.0.0:\(NestboxPort.etcdPeers)",
            "initial-advertise-peer-urls": "https://$(NAME):\(NestboxPort.etcdPeers)",
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
            "quota-backend-bytes": String(settings.etcdQuota),
            "snapshot-count": "10000",
        ]
        if settings.template == .first { own["initial-cluster"] = list(settings.etcdNames) }
        return Arguments.adding(settings.spec.controlPlane?.extraArguments?.etcd, to: own)
    }
}

extension ClusterSettings {
    /// Bytes that etcd's database may have: three quarters of the volume, and 8 GiB at most, which is what etcd recommends.
    public var etcdQuota: Int {
        let bytes = Quantity(spec.etcd?.storage?.size ?? Defaults.etcdStorageSize)?.value ?? 0
        return Int(min(max(bytes * 0.75, 64 * 1_048_576), 8 * 1_073_741_824))
    }
}
