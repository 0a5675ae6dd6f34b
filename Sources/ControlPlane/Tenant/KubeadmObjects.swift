import KubernetesAPI
import KubernetesVersions

/// What `kubeadm init` leaves in a cluster and kubeadm, kubelets and tools look for.
enum KubeadmObjects {
    private static let kubeadmGroup = Grants.groupSubject(NestboxName.kubeadmBootstrappersGroup)
    private static let nodes = Grants.groupSubject("system:nodes")

    static func access(_ settings: ClusterSettings) -> [any KubernetesObject] {
        let readers = [kubeadmGroup, Grants.groupSubject(NestboxName.bootstrappersGroup), nodes]
        var objects: [any KubernetesObject] = []
        objects += Grants.role(
            "kubeadm:bootstrap-signer-clusterinfo", namespace: "kube-public",
            [Grants.rule(["get"], ["configmaps"], names: ["cluster-info"])], to: [Grants.user("system:anonymous")])
        objects += Grants.role(
            "kubeadm:nodes-kubeadm-config", namespace: "kube-system",
            [Grants.rule(["get"], ["configmaps"], names: ["kubeadm-config"])], to: readers)
        objects += Grants.role(
            kubeletConfigRole(settings.version), namespace: "kube-system",
            [Grants.rule(["get"], ["configmaps"], names: [settings.version.kubeletConfigMapName])], to: readers)
        objects += [
            Grants.clusterRoleBinding(
                "kubeadm:cluster-admins", role: "cluster-admin", to: [Grants.groupSubject("kubeadm:cluster-admins")])
        ]
        if settings.allowsKubeadmJoin { objects += joinAccess }
        return objects
    }

    /// Only for `join.kubeadm`: a token of kubeadm's group may ask for a node's certificate. Who gets one is the operator's to say, here
    /// too: kubeadm's own bindings for the stock approver would give any of these tokens any node's name, and let a removed node renew for
    /// ever.
    private static var joinAccess: [any KubernetesObject] {
        [Grants.clusterRole("kubeadm:get-nodes", [Grants.rule(["get"], ["nodes"])])] + joinBindings
    }

    /// Taken away when `join.kubeadm` is; the operator may delete these by name.
    static var joinBindings: [ClusterRoleBinding] {
        [
            Grants.clusterRoleBinding("kubeadm:get-nodes", role: "kubeadm:get-nodes", to: [kubeadmGroup]),
            Grants.clusterRoleBinding("kubeadm:kubelet-bootstrap", role: "system:node-bootstrapper", to: [kubeadmGroup]),
        ]
    }

    static func configuration(_ input: ControlPlaneInput) -> [any KubernetesObject] {
        let settings = input.settings
        return [
            clusterInfo(input),
            ConfigMap(
                metadata: tenantMetadata("kubeadm-config", namespace: "kube-system"),
                data: ["ClusterConfiguration": clusterConfiguration(settings).prettyText]),
            ConfigMap(
                metadata: tenantMetadata(settings.version.kubeletConfigMapName, namespace: "kube-system"),
                // For machines that kubeadm sets up: its own paths, and its choice of container runtime.
                data: ["kubelet": kubeadmKubeletConfiguration(settings).prettyText]),
        ]
    }

    /// The bootstrap signer adds signatures beside `kubeconfig`, which a server-side apply of this key alone leaves in place.
    private static func clusterInfo(_ input: ControlPlaneInput) -> ConfigMap {
        let server = input.endpoints.api.first ?? input.settings.nodeLocalAPIEndpoint
        return ConfigMap(
            metadata: tenantMetadata("cluster-info", namespace: "kube-public"),
            data: [
                "kubeconfig": Kubeconfig.clusterInfo(
                    server: "https://\(server)", certificateAuthority: input.keys.cluster.certificatePEM)
            ])
    }

    private static func kubeletConfigRole(_ version: KubernetesVersion) -> String { "kubeadm:\(version.kubeletConfigMapName)" }

    private static func clusterConfiguration(_ settings: ClusterSettings) -> JSONValue {
        [
            "apiVersion": .string(settings.version.kubeadmAPIVersion), "kind": "ClusterConfiguration",
            "clusterName": .string(settings.name), "kubernetesVersion": .string("\(settings.version)"),
            "certificatesDir": "/etc/kubernetes/pki", "imageRepository": .string(settings.imageRegistry),
            "controlPlaneEndpoint": .string(settings.nodeLocalAPIEndpoint),
            "networking": [
                "dnsDomain": .string(settings.dnsDomain), "podSubnet": .string("\(settings.podNetwork)"),
                "serviceSubnet": .string("\(settings.serviceNetwork)"),
            ],
        ]
    }

    private static func kubeadmKubeletConfiguration(_ settings: ClusterSettings) -> JSONValue {
        KubeletConfiguration.shared(settings, certificateAuthorityFile: "/etc/kubernetes/pki/ca.crt", cgroupDriver: "systemd")
    }
}
