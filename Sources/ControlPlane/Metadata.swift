import Crypto
import HexDigest
import KubernetesAPI

extension ClusterSettings {
    /// On everything that belongs to this cluster in the host.
    public var labels: [String: String] {
        [
            NestboxLabel.clusterUID: uid, NestboxLabel.clusterName: name, NestboxLabel.clusterNamespace: namespace,
            NestboxLabel.managedBy: "nestbox",
        ]
    }

    /// Metadata of an object in the control-plane namespace.
    func metadata(_ name: String, labels extra: [String: String] = [:]) -> ObjectMeta {
        ObjectMeta(name: name, namespace: controlPlaneNamespace, labels: labels.merging(extra) { _, own in own })
    }

    /// Which pods of the namespace are of that component.
    func selector(_ component: Component) -> LabelSelector {
        LabelSelector(matchLabels: [NestboxLabel.component: component.rawValue])
    }
}

/// The kinds of pods in a control-plane namespace.
enum Component: String {
    case etcd
    /// A Job's, while it runs.
    case etcdSnapshot = "etcd-snapshot"
    case controlPlane = "control-plane"
}

/// A short hash of a text, for annotations that make a pod roll when its configuration changes.
func shortHash(_ texts: [String]) -> String {
    hexadecimal(SHA256.hash(data: Array(texts.joined(separator: "\0").utf8)).prefix(16))
}
