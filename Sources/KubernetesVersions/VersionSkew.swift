/// The version skew policy: what may run beside what (kubernetes.io, "Version Skew Policy").
extension KubernetesVersion {
    /// How many minor releases a kubelet may be behind its API server: three from 1.28 on, two before.
    public var oldestKubeletMinor: Int { minor - (isAtLeast(minor: 28) ? 3 : 2) }

    /// Why a kubelet of that version may not join an API server of this one, in a sentence; nil when it may.
    public func refusal(ofKubelet kubelet: KubernetesVersion) -> String? {
        if kubelet.major != major || kubelet.minor > minor {
            return "a kubelet \(kubelet) is newer than its API server \(self)"
        }
        if kubelet.minor < oldestKubeletMinor {
            return "a kubelet \(kubelet) is too old for an API server \(self), which takes 1.\(oldestKubeletMinor) and newer"
        }
        return nil
    }

    /// Why a control plane of this version may not become that one, in a sentence; nil when it may.
    public func refusal(ofUpgradeTo target: KubernetesVersion) -> String? {
        if target < self { return "\(target) is older than \(self), and a control plane cannot go back" }
        if target.major != major || target.minor > minor + 1 {
            return "\(target) is more than one minor release after \(self): upgrade to 1.\(minor + 1) first"
        }
        return nil
    }
}
