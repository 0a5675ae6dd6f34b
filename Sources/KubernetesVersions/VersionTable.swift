/// What differs between the Kubernetes releases that Nestbox runs, 1.20 to 1.36: the one place that knows.
///
/// Every entry names where the fact comes from; paths are of the kubernetes/kubernetes repository.
extension KubernetesVersion {
    /// The oldest and the newest minor release that this table speaks of.
    public static let supportedMinors = 20...36

    /// Whether the table covers this version: others are refused before anything is touched.
    public var isSupported: Bool { major == 1 && Self.supportedMinors.contains(minor) }

    // MARK: Flags

    /// kube-controller-manager and kube-scheduler serve plain HTTP unless `--port=0`.
    /// CHANGELOG-1.24: "the insecure address flags --address and --port have been removed"; ignored since 1.23.
    public var hasInsecurePortFlag: Bool { !isAtLeast(minor: 23) }

    /// The kubelet talks to dockershim unless `--container-runtime=remote`.
    /// CHANGELOG-1.24 removed dockershim, CHANGELOG-1.27 the flag.
    public var needsContainerRuntimeFlag: Bool { !isAtLeast(minor: 24) }

    /// `containerRuntimeEndpoint` is a field of KubeletConfiguration, and no longer only a flag.
    /// staging/src/k8s.io/kubelet/config/v1beta1/types.go, since 1.27 (kubernetes/kubernetes#112136).
    public var hasContainerRuntimeEndpointInConfiguration: Bool { isAtLeast(minor: 27) }

    /// The kubelet refuses cgroup v1 unless `failCgroupV1: false`.
    /// The field is there since 1.31 (KEP-4569); its default became true in 1.35 (CHANGELOG-1.35, kubernetes/kubernetes#134298).
    public var kubeletRefusesCgroupV1: Bool { isAtLeast(minor: 35) }

    /// `registerWithTaints` is a field of KubeletConfiguration.
    /// staging/src/k8s.io/kubelet/config/v1beta1/types.go, since 1.23 (kubernetes/kubernetes#105437).
    public var hasRegisterWithTaintsInConfiguration: Bool { isAtLeast(minor: 23) }

    // MARK: Container runtime

    /// The containerd releases that this kubelet can talk to.
    /// Kubelets before 1.23 speak CRI v1alpha2 only, from 1.26 on v1 only (CHANGELOG-1.23, CHANGELOG-1.26). containerd serves v1
    /// since 1.6 and v1alpha2 until 2.0 (containerd's RELEASES.md, "Kubernetes Support" and "Deprecated features"); 1.4 is the
    /// oldest that it lists beside a release of ours.
    public var containerdVersions: Range<ProgramVersion> {
        let oldest = isAtLeast(minor: 26) ? ProgramVersion(1, 6) : ProgramVersion(1, 4)
        return oldest..<(isAtLeast(minor: 23) ? ProgramVersion(1000) : ProgramVersion(2))
    }

    // MARK: Anonymous requests

    /// Which AuthenticationConfiguration bounds anonymous requests to paths; nil where only RBAC can.
    /// KEP-4633: AnonymousAuthConfigurableEndpoints is beta and on from 1.32; the API is `v1` from 1.34 on.
    public var authenticationConfigurationAPIVersion: String? {
        if isAtLeast(minor: 34) { return "apiserver.config.k8s.io/v1" }
        return isAtLeast(minor: 32) ? "apiserver.config.k8s.io/v1beta1" : nil
    }

    // MARK: API versions

    /// Deprecated API Migration Guide, v1.25: EndpointSlice is `discovery.k8s.io/v1` since 1.21.
    public var servesEndpointSliceV1: Bool { isAtLeast(minor: 21) }

    /// Deprecated API Migration Guide, v1.25: PodDisruptionBudget is `policy/v1` since 1.21.
    public var servesPodDisruptionBudgetV1: Bool { isAtLeast(minor: 21) }

    /// The eviction subresource understands `policy/v1` since 1.22 (Documentation, "API-initiated Eviction").
    public var servesEvictionV1: Bool { isAtLeast(minor: 22) }

    /// Deprecated API Migration Guide, v1.32: FlowSchema is `v1` since 1.29. Nothing here uses it; tests of a tenant may.
    public var servesFlowControlV1: Bool { isAtLeast(minor: 29) }

    // MARK: What kubeadm leaves in a cluster

    /// The ConfigMap that holds the kubelets' configuration.
    /// CHANGELOG-1.24: UnversionedKubeletConfigMap is on by default; before, it is `kubelet-config-1.N`.
    public var kubeletConfigMapName: String { isAtLeast(minor: 24) ? "kubelet-config" : "kubelet-config-\(minorRelease)" }

    /// The newest kubeadm API that kubeadm of this release reads.
    /// cmd/kubeadm/app/apis/kubeadm: v1beta3 since 1.22, v1beta4 since 1.31.
    public var kubeadmAPIVersion: String {
        if isAtLeast(minor: 31) { return "kubeadm.k8s.io/v1beta4" }
        return isAtLeast(minor: 22) ? "kubeadm.k8s.io/v1beta3" : "kubeadm.k8s.io/v1beta2"
    }

    // MARK: Images

    /// cmd/kubeadm/app/constants/constants.go, DefaultEtcdVersion and SupportedEtcdVersion: 3.4.13-0 up to 1.21, 3.5 up to 1.33,
    /// 3.6 from 1.34 on. Of 3.5 and of 3.6 the last patch listed there is taken throughout (3.5.24-0 in 1.34's, 3.6.8-0 in 1.36.2's):
    /// the first of 3.5 lost data (etcd-io/etcd#13766), and 3.6 wants 3.5.20 or newer before it.
    public var etcdImageTag: String {
        if isAtLeast(minor: 34) { return "3.6.8-0" }
        return isAtLeast(minor: 22) ? "3.5.24-0" : "3.4.13-0"
    }

    /// cmd/kubeadm/app/constants/constants.go, PauseVersion.
    public var pauseImageTag: String {
        switch minor {
        case ...20: "3.2"
        case 21: "3.4.1"
        case 22: "3.5"
        case 23: "3.6"
        case 24: "3.7"
        case 25: "3.8"
        case 26...30: "3.9"
        case 31...33: "3.10"
        case 34, 35: "3.10.1"
        default: "3.10.2"
        }
    }

    /// cmd/kubeadm/app/constants/constants.go, CoreDNSVersion; the image is `coredns/coredns` since 1.21, `coredns` before.
    public var coreDNSImage: String {
        switch minor {
        case ...20: "coredns:1.7.0"
        case 21: "coredns/coredns:v1.8.0"
        case 22: "coredns/coredns:v1.8.4"
        case 23, 24: "coredns/coredns:v1.8.6"
        case 25, 26: "coredns/coredns:v1.9.3"
        case 27, 28: "coredns/coredns:v1.10.1"
        case 29, 30: "coredns/coredns:v1.11.1"
        case 31, 32: "coredns/coredns:v1.11.3"
        case 33: "coredns/coredns:v1.12.0"
        case 34: "coredns/coredns:v1.12.1"
        case 35: "coredns/coredns:v1.13.1"
        default: "coredns/coredns:v1.14.2"
        }
    }
}
