import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// kube-scheduler: its container and its flags.
enum Scheduler {
    static let name = "kube-scheduler"

    static func container(_ settings: ClusterSettings) -> Container {
        var container = PodShape.container(
            settings, name: name, image: "\(settings.imageRegistry)/\(name):\(settings.version)",
            command: [name] + Arguments.render(arguments(settings)), requests: ["cpu": "10m", "memory": "48Mi"])
        container.volumeMounts = [PodShape.secretMount(.scheduler)]
        container.livenessProbe = LocalProbe.liveness(port: NestboxPort.scheduler)
        return container
    }

    static func arguments(_ settings: ClusterSettings) -> [String: String] {
        var arguments = DelegatedAccess.arguments(KeySecret.mountPath(.scheduler))
        if settings.version.hasInsecurePortFlag { arguments["port"] = "0" }
        return Arguments.adding(settings.spec.controlPlane?.extraArguments?.scheduler, to: arguments)
    }
}
