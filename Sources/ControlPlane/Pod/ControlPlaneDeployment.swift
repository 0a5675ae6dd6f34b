import KubernetesAPI
import KubernetesVersions

/// The control-plane pods: API server, controller-manager, scheduler and tunnel server, with loopback and one socket between them.
enum ControlPlaneDeployment {
    static func render(_ input: ControlPlaneInput) throws(PKIError) -> [any KubernetesObject] {
        let settings = input.settings
        let configuration = configurationFiles(settings)
        var objects: [any KubernetesObject] = [
            ConfigMap(metadata: settings.metadata(NestboxName.controlPlaneDeployment), data: configuration)
        ]
        objects += Audit.secrets(input)
        objects.append(try deployment(input, configuration: configuration))
        return objects + DisruptionBudgets.wanted(input)
    }

    private static func configurationFiles(_ settings: ClusterSettings) -> [String: String] {
        var files = [EgressSelector.fileName: EgressSelector.configuration]
        files[AuthenticationConfiguration.fileName] = AuthenticationConfiguration.render(settings)
        files[OIDC.certificateAuthorityFile] = OIDC.certificateAuthorityForFlags(settings)
        files[Audit.policyFile] = Audit.policy(settings)
        return files
    }

    private static func deployment(_ input: ControlPlaneInput, configuration: [String: String]) throws(PKIError) -> Deployment {
        let settings = input.settings
        var pod = PodShape.base(settings)
        pod.containers = [
            APIServer.container(input), TunnelServer.container(settings),
            ControllerManager.container(settings),
            Scheduler.container(settings),
        ]
        pod.volumes =
            [.apiServer, .controllerManager, .scheduler, .tunnel].map(PodShape.secretVolume) + [
                Volume(
                    name: "configuration",
                    configMap: ConfigMapVolumeSource(name: NestboxName.controlPlaneDeployment, defaultMode: 0o444)),
                Volume(name: "run", emptyDir: EmptyDirVolumeSource(medium: "Memory", sizeLimit: "1Mi")),
            ] + Audit.volumes(input) + ExternalEtcd.volumes(settings)
        let aliases = PodShape.etcdAliases(settings, input.etcdServiceAddresses)
        pod.hostAliases = aliases.isEmpty ? nil : aliases
        pod.terminationGracePeriodSeconds = 30
        Placement.place(&pod, input, .controlPlane)
        let template = PodTemplateSpec(
            metadata: ObjectMeta(
                labels: settings.labels.merging([NestboxLabel.component: Component.controlPlane.rawValue]) { own, _ in own },
                annotations: [
                    NestboxLabel.keysHash: try input.keys.hash(settings, [.apiServer, .controllerManager, .scheduler, .tunnel]),
                    NestboxLabel.configurationHash: shortHash(
                        (configuration.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }) + [input.auditWebhook].compactMap(\.self)
                            + ExternalEtcd.notReloaded(input.externalEtcd)),
                ]),
            spec: pod)
        return Deployment(
            metadata: settings.metadata(NestboxName.controlPlaneDeployment),
            spec: DeploymentSpec(
                replicas: input.scale.apiServers, selector: settings.selector(.controlPlane), template: template,
                strategy: DeploymentStrategy(
                    type: "RollingUpdate", rollingUpdate: RollingUpdate(maxUnavailable: 0, maxSurge: 1)),
                revisionHistoryLimit: 3, progressDeadlineSeconds: 600))
    }
}
