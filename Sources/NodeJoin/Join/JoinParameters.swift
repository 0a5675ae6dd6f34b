import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// Who uses a machine, as written on the machine itself: fences plans of others and of earlier claims.
public struct MachineOwner: Sendable, Equatable {
    /// The Machine object's UID: a second Machine that names the same server is another owner.
    public var uid: String
    /// Counts the claims of this Machine.
    public var epoch: Int
    /// For people: `namespace/pool`.
    public var holder: String

    public init(uid: String, epoch: Int, holder: String) {
        self.uid = uid
        self.epoch = epoch
        self.holder = holder
    }
}

/// All that joining one machine depends on; what is found out on the machine itself is not among it.
public struct JoinParameters: Sendable, Equatable {
    public var owner: MachineOwner
    /// The Node's name, which is the Machine's.
    public var nodeName: String
    /// `--node-ip`.
    public var nodeAddress: String
    public var version: KubernetesVersion
    public var network: JoinNetwork
    public var endpoints: JoinEndpoints
    /// The cluster CA, PEM.
    public var certificateAuthority: String
    /// The content of the kubeconfig with the bootstrap token.
    public var bootstrapKubeconfig: String
    /// KubeletConfiguration as JSON, with all that this version reads from there: flags are given for the rest only.
    /// `cgroupDriver` and `resolvConf` are filled in on the machine unless they are in it.
    public var kubeletConfiguration: String
    public var nodeLabels: [String: String]
    public var taints: [Taint]
    public var artifacts: JoinArtifacts
    public var tools: ToolChoice
    public var requirements: MachineRequirements
    /// Whether what the machine was like before it joined was listed already, and the list is on record.
    public var hasBaseline: Bool
    /// The pool's. Its `kubelet` is in the kubelet's configuration already.
    public var nodeConfiguration: NodeConfiguration

    public init(
        owner: MachineOwner, nodeName: String, nodeAddress: String, version: KubernetesVersion, network: JoinNetwork,
        endpoints: JoinEndpoints, certificateAuthority: String, bootstrapKubeconfig: String, kubeletConfiguration: String,
        nodeLabels: [String: String] = [:], taints: [Taint] = [], artifacts: JoinArtifacts, tools: ToolChoice,
        requirements: MachineRequirements = .init(), hasBaseline: Bool = false, nodeConfiguration: NodeConfiguration = .init()
    ) {
        self.owner = owner
        self.nodeName = nodeName
        self.nodeAddress = nodeAddress
        self.version = version
        self.network = network
        self.endpoints = endpoints
        self.certificateAuthority = certificateAuthority
        self.bootstrapKubeconfig = bootstrapKubeconfig
        self.kubeletConfiguration = kubeletConfiguration
        self.nodeLabels = nodeLabels
        self.taints = taints
        self.artifacts = artifacts
        self.tools = tools
        self.requirements = requirements
        self.hasBaseline = hasBaseline
        self.nodeConfiguration = nodeConfiguration
    }
}

/// The tenant's networks, as this node sees them.
public struct JoinNetwork: Sendable, Equatable {
    /// The part of the pods' network that this node carries.
    public var podCIDR: String
    public var clusterPodCIDR: String
    public var serviceCIDR: String
    /// Where every node finds its API server, held by `nestbox-node`.
    public var nodeLocalAPIAddress: String
    public var apiPort: Int
    /// Whether pods get the built-in bridge network; without it the tenant brings a network of their own.
    public var bridge: Bool

    public init(
        podCIDR: String, clusterPodCIDR: String, serviceCIDR: String, nodeLocalAPIAddress: String = "172.20.0.1", apiPort: Int = 6443,
        bridge: Bool = true
    ) {
        self.podCIDR = podCIDR
        self.clusterPodCIDR = clusterPodCIDR
        self.serviceCIDR = serviceCIDR
        self.nodeLocalAPIAddress = nodeLocalAPIAddress
        self.apiPort = apiPort
        self.bridge = bridge
    }
}

/// Where `nestbox-node` dials before its control stream says otherwise: `host:port` each.
public struct JoinEndpoints: Sendable, Equatable {
    public var api: [String]
    public var tunnel: [String]
    public var tunnelServerName: String

    public init(api: [String], tunnel: [String], tunnelServerName: String = "nestbox-tunnel") {
        self.api = api
        self.tunnel = tunnel
        self.tunnelServerName = tunnelServerName
    }
}

/// What is pushed to the machine.
public struct JoinArtifacts: Sendable, Equatable {
    /// A tar of `bin`, `lib`, `libexec` and `cni`, relative to `/opt/nestbox`; nil when the store has none.
    public var nodeTools: LocalFile?
    public var kubelet: LocalFile
    public var nestboxNode: LocalFile
    /// The pause image; the sandbox of every pod.
    public var pauseImage: JoinImage
    /// Further images: kube-proxy's, and those of workloads.
    public var images: [JoinImage]

    public init(nodeTools: LocalFile?, kubelet: LocalFile, nestboxNode: LocalFile, pauseImage: JoinImage, images: [JoinImage] = []) {
        self.nodeTools = nodeTools
        self.kubelet = kubelet
        self.nestboxNode = nestboxNode
        self.pauseImage = pauseImage
        self.images = images
    }
}

/// An OCI archive and the reference it is imported under.
public struct JoinImage: Sendable, Equatable {
    public var archive: LocalFile
    public var reference: String

    public init(archive: LocalFile, reference: String) {
        self.archive = archive
        self.reference = reference
    }
}

/// What a machine must have to be taken.
public struct MachineRequirements: Sendable, Equatable {
    /// `amd64` or `arm64`.
    public var architecture: String
    /// The C library the pushed programs were linked with.
    public var glibc: String
    /// Free space where images and pods' data go.
    public var diskMiB: Int
    public var clockSkewSeconds: Int
    /// An address that it must have: that it is the machine which was meant is not known otherwise, where nobody connects to it.
    public var address: String?

    public init(
        architecture: String = "amd64", glibc: String = "2.36", diskMiB: Int = 2048, clockSkewSeconds: Int = 60, address: String? = nil
    ) {
        self.architecture = architecture
        self.glibc = glibc
        self.diskMiB = diskMiB
        self.clockSkewSeconds = clockSkewSeconds
        self.address = address
    }
}
