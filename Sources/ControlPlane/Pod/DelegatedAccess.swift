import KubernetesAPI

/// Flags that kube-controller-manager and kube-scheduler have in common.
enum DelegatedAccess {
    /// Nothing is looked up in the cluster at start: whoever starts before the API server would fail for it and be backed off.
    static func arguments(_ keys: String) -> [String: String] {
        [
            "authentication-kubeconfig": "\(keys)/kubeconfig",
            "authentication-skip-lookup": "true",
            "authorization-kubeconfig": "\(keys)/kubeconfig",
            "bind-address": "0.0.0.0",
            "client-ca-file": "\(keys)/ca.crt",
            "kubeconfig": "\(keys)/kubeconfig",
            // Also with one replica: a rolling update runs two for a moment.
            "leader-elect": "true",
            "profiling": "false",
            "requestheader-client-ca-file": "\(keys)/front-proxy-ca.crt",
        ]
    }
}

/// Probes of components that serve `/healthz` by HTTPS to anybody.
enum LocalProbe {
    static func liveness(port: Int) -> Probe {
        Probe(
            httpGet: HTTPGetAction(path: "/healthz", port: .int(port), scheme: "HTTPS"), initialDelaySeconds: 15, timeoutSeconds: 15,
            periodSeconds: 10, failureThreshold: 8)
    }
}

/// Values as Go's flag package reads them.
enum GoFlag {
    static func duration(_ seconds: Double) -> String { GoDuration(seconds: seconds).description }
}
