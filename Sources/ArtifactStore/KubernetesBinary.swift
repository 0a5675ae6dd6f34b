/// The programs of a Kubernetes release that Nestbox uses.
public enum KubernetesBinary: String, Sendable, CaseIterable, Codable {
    case kubeAPIServer = "kube-apiserver"
    case kubeControllerManager = "kube-controller-manager"
    case kubeScheduler = "kube-scheduler"
    case kubelet
    case kubeProxy = "kube-proxy"
    case kubectl
    case kubeadm

    /// kubeadm is used by tests alone, so a user's folder may lack it.
    var isOptional: Bool { self == .kubeadm }

    /// The arguments that make it say its version on standard output.
    var versionArguments: [String] {
        switch self {
        case .kubectl: ["version", "--client"]
        case .kubeadm: ["version", "-o", "short"]
        default: ["--version"]
        }
    }
}

/// The container images that are made of a release's binaries, named as upstream names them.
public enum KubernetesImage: String, Sendable, CaseIterable, Codable {
    case kubeAPIServer = "kube-apiserver"
    case kubeControllerManager = "kube-controller-manager"
    case kubeScheduler = "kube-scheduler"
    case kubeProxy = "kube-proxy"

    var binary: KubernetesBinary {
        switch self {
        case .kubeAPIServer: .kubeAPIServer
        case .kubeControllerManager: .kubeControllerManager
        case .kubeScheduler: .kubeScheduler
        case .kubeProxy: .kubeProxy
        }
    }
}
