import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// kube-controller-manager: its container and its flags.
enum ControllerManager {
    static let name = "kube-controller-manager"

    static func container(_ settings: ClusterSettings) -> Container {
        var container = PodShape.container(
            settings, name: name, image: "\(settings.imageRegistry)/\(name):\(settings.version)",
            command: [name] + Arguments.render(arguments(settings)), requests: ["cpu": "20m", "memory": "64Mi"])
        container.volumeMounts = [PodShape.secretMount(.controllerManager)]
        container.livenessProbe = LocalProbe.liveness(port: NestboxPort.controllerManager)
        return container
    }

    static func arguments(_ settings: ClusterSettings) -> [String: String] {
        let keys = KeySecret.mountPath(.controllerManager)
        var arguments = DelegatedAccess.arguments(keys).merging([
            // Pod CIDRs are the operator's to give: it records them, and nothing else is believed.
            "allocate-node-cidrs": "false",
            "cluster-signing-cert-file": "\(keys)/ca.crt",
            "cluster-signing-key-file": "\(keys)/ca.key",
            // Named so since 1.19.
            "cluster-signing-duration": GoFlag.duration(settings.nodeLifetime),
            "controllers": controllers,
            "root-ca-file": "\(keys)/ca.crt",
            "service-account-private-key-file": "\(keys)/sa.key",
            // Each controller acts as a ServiceAccount of its own, with its own rights.
            "use-service-account-credentials": "true",
        ]) { _, own in own }
        if settings.version.hasInsecurePortFlag { arguments["port"] = "0" }
        return Arguments.adding(settings.spec.controlPlane?.extraArguments?.controllerManager, to: arguments)
    }

    /// The operator approves certificate requests, those of kubeadm's tokens too.
    private static let controllers = "*,bootstrapsigner,tokencleaner,-csrapproving"
}
