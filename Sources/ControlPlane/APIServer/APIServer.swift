import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// kube-apiserver: its container and its flags.
enum APIServer {
    static let name = "kube-apiserver"
    /// On an emptyDir that it shares with the tunnel server.
    static let tunnelSocket = "/run/nestbox/tunnel.sock"
    static let configurationDirectory = "/etc/nestbox/configuration"

    static func container(_ input: ControlPlaneInput) -> Container {
        let settings = input.settings
        var container = PodShape.container(
            settings, name: name, image: "\(settings.imageRegistry)/\(name):\(settings.version)",
            command: [name] + Arguments.render(arguments(input)) + OIDC.requiredClaimFlags(settings),
            requests: ["cpu": "50m", "memory": "256Mi"],
            // The official image's binary carries this file capability: without it in the bounding set the kernel refuses to run it.
            capabilities: ["NET_BIND_SERVICE"])
        container.ports = [ContainerPort(name: "api", containerPort: NestboxPort.api, protocol: "TCP")]
        container.volumeMounts =
            [
                PodShape.secretMount(.apiServer),
                VolumeMount(name: "configuration", mountPath: configurationDirectory, readOnly: true),
                VolumeMount(name: "run", mountPath: "/run/nestbox"),
            ] + Audit.mounts(settings, webhook: input.auditWebhook != nil) + ExternalEtcd.mounts(settings)
        container.startupProbe = probe("/livez?exclude=etcd", period: 1, timeout: 5, failures: 120)
        // An API server is not mended by killing it because etcd is away.
        container.livenessProbe = probe("/livez?exclude=etcd", period: 10, timeout: 15, failures: 8)
        container.readinessProbe = probe("/readyz", period: 1, timeout: 5, failures: 3)
        return container
    }

    static func arguments(_ input: ControlPlaneInput) -> [String: String] {
        let settings = input.settings
        let extra = settings.spec.controlPlane?.extraArguments?.apiServer
        var arguments = ownArguments(input)
            .merging(Audit.arguments(settings, webhook: input.auditWebhook != nil)) { own, _ in own }
            .merging(OIDC.arguments(settings)) { own, _ in own }
            .merging(ExternalEtcd.arguments(settings)) { _, external in external }
        if let plugins = extra?["enable-admission-plugins"] {
            arguments["enable-admission-plugins"] = "NodeRestriction," + plugins
        }
        if AuthenticationConfiguration.render(settings) != nil {
            arguments["authentication-config"] = "\(configurationDirectory)/\(AuthenticationConfiguration.fileName)"
        }
        return Arguments.adding(extra, to: arguments)
    }

    private static let etcdServersFlag = "etcd-servers"

    /// How many members of etcd a pod's API server is told of; nil where there is none.
    static func etcdServers(in pod: PodSpec) -> Int? {
        let command = pod.containers?.first { $0.name == name }?.command
        return command?.first { $0.hasPrefix("--\(etcdServersFlag)=") }.map { $0.split(separator: ",").count }
    }

    private static func ownArguments(_ input: ControlPlaneInput) -> [String: String] {
        let settings = input.settings
        let keys = KeySecret.mountPath(.apiServer)
        let members = (0..<input.scale.etcdServers).map { "https://\(NestboxName.etcdMember($0)):\(NestboxPort.etcdClients)" }
        return [
            "advertise-address": "\(settings.nodeLocalAPIAddress)",
            "allow-privileged": "true",
            "authorization-mode": "Node,RBAC",
            "bind-address": "0.0.0.0",
            "client-ca-file": "\(keys)/ca.crt",
            "egress-selector-config-file": "\(configurationDirectory)/\(EgressSelector.fileName)",
            "enable-admission-plugins": "NodeRestriction",
            // Extension API servers are reached through the tunnel, by pod address: the host has no route to a Service of the tenant.
            "enable-aggregator-routing": "true",
            "enable-bootstrap-token-auth": "true",
            // The operator owns default/kubernetes: all replicas advertise one address, which each would take away when it stops.
            "endpoint-reconciler-type": "none",
            "etcd-cafile": "\(keys)/etcd-ca.crt",
            "etcd-certfile": "\(keys)/etcd-client.crt",
            "etcd-keyfile": "\(keys)/etcd-client.key",
            etcdServersFlag: members.joined(separator: ","),
            "kubelet-certificate-authority": "\(keys)/ca.crt",
            "kubelet-client-certificate": "\(keys)/kubelet-client.crt",
            "kubelet-client-key": "\(keys)/kubelet-client.key",
            "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
            "profiling": "false",
            "proxy-client-cert-file": "\(keys)/front-proxy-client.crt",
            "proxy-client-key-file": "\(keys)/front-proxy-client.key",
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-client-ca-file": "\(keys)/front-proxy-ca.crt",
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-username-headers": "X-Remote-User",
            "secure-port": "\(NestboxPort.api)",
            "service-account-issuer": "https://kubernetes.default.svc.\(settings.dnsDomain)",
            "service-account-key-file": "\(keys)/sa.pub",
            "service-account-signing-key-file": "\(keys)/sa.key",
            "service-cluster-ip-range": "\(settings.serviceNetwork)",
            "shutdown-delay-duration": "3s",
            "tls-cert-file": "\(keys)/tls.crt",
            "tls-private-key-file": "\(keys)/tls.key",
        ]
    }

    private static func probe(_ path: String, period: Int, timeout: Int, failures: Int) -> Probe {
        Probe(
            httpGet: HTTPGetAction(path: path, port: .int(NestboxPort.api), scheme: "HTTPS"), timeoutSeconds: timeout,
            periodSeconds: period, failureThreshold: failures)
    }
}
