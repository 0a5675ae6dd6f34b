import KubernetesAPI
import KubernetesVersions

/// Annotations that people and programs put on a Machine.
public enum MachineAnnotation {
    /// An integer, 0 unless set: of a pool that shrinks, the Machine with the lowest goes first, whatever else is known of them.
    public static let deletionCost = "nestbox.dev/deletion-cost"
    /// The epoch of a claim: whoever puts it there vouches that the server is off and stays off until it was cleaned, so that
    /// its pods may be started elsewhere though nothing could be ended on it.
    public static let poweredOff = "nestbox.dev/powered-off"
}

/// A server that answers SSH, or whose owner runs a command on it. It is to a NodePool what a PersistentVolume is to a claim.
public struct Machine: KubernetesObject {
    public static let resourceType = ResourceType(
        group: nestboxGroup, version: "v1alpha1", kind: "Machine", resource: "machines", namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: MachineSpec?
    public var status: MachineStatus?

    public init(metadata: ObjectMeta, spec: MachineSpec? = nil, status: MachineStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

extension Machine {
    /// Whether its owner runs what is to be done on it: the operator cannot reach it.
    public var joinsByCommand: Bool { spec?.joinMethod == .command }
}

public struct MachineSpec: Codable, Sendable, Equatable {
    public var address: String?
    /// 22 unless set.
    public var port: Int?
    /// `root`, or a user with passwordless sudo; `root` unless set.
    public var user: String?
    /// The Secret, in the operator's namespace, that holds the private key under `ssh-privatekey`.
    public var sshKeySecret: String?
    /// The host key to trust, as in known_hosts (`ssh-ed25519 AAAA...`). Unless given, the first one seen is pinned in status.
    public var hostKey: String?
    /// Namespaces whose pools may claim it; any unless set.
    public var allowedNamespaces: [String]?
    public var reuse: ReusePolicy?
    /// What passes SSH on to it, where it cannot be reached from the operator.
    public var jumpHost: JumpHostSpec?
    /// How it becomes a node; `SSH` unless set.
    public var joinMethod: JoinMethod?
    /// The pool that may claim it, whatever that pool selects by; any that selects it unless set.
    public var nodePool: String?
    /// Of one that joins by a command, which cannot be asked: `amd64` unless set.
    public var architecture: String?

    public init(
        address: String? = nil, port: Int? = nil, user: String? = nil, sshKeySecret: String? = nil, hostKey: String? = nil,
        allowedNamespaces: [String]? = nil, reuse: ReusePolicy? = nil, jumpHost: JumpHostSpec? = nil, joinMethod: JoinMethod? = nil,
        nodePool: String? = nil, architecture: String? = nil
    ) {
        self.address = address
        self.port = port
        self.user = user
        self.sshKeySecret = sshKeySecret
        self.hostKey = hostKey
        self.allowedNamespaces = allowedNamespaces
        self.reuse = reuse
        self.jumpHost = jumpHost
        self.joinMethod = joinMethod
        self.nodePool = nodePool
        self.architecture = architecture
    }
}

/// How a Machine becomes a node.
public enum JoinMethod: String, Codable, Sendable, CaseIterable {
    /// The operator connects to it, and looks after it from then on.
    case ssh = "SSH"
    /// Its owner runs the command that `nestbox token create` prints: the operator cannot reach it. What needs somebody on the machine
    /// (cleaning, mending, upgrading in place) is its owner's.
    case command = "Command"
}

/// A server that lets its user forward TCP connections, and does nothing else for Nestbox.
public struct JumpHostSpec: Codable, Sendable, Equatable {
    /// An IPv4 address or a DNS name.
    public var address: String?
    /// 22 unless set.
    public var port: Int?
    /// `root` unless set; it needs no right but to forward.
    public var user: String?
    /// The Secret, in the operator's namespace, that holds the private key under `ssh-privatekey`; the Machine's unless set.
    public var sshKeySecret: String?
    /// The host key to trust. Unless given, the first one seen is pinned in status.
    public var hostKey: String?

    public init(
        address: String? = nil, port: Int? = nil, user: String? = nil, sshKeySecret: String? = nil, hostKey: String? = nil
    ) {
        self.address = address
        self.port = port
        self.user = user
        self.sshKeySecret = sshKeySecret
        self.hostKey = hostKey
    }
}

/// To whom a cleaned machine may go. Cleaning finds leftovers, not malice: the last tenant had root there.
public enum ReusePolicy: String, Codable, Sendable, CaseIterable {
    /// Back to the HostedCluster's namespace it came from.
    case sameTenant = "SameTenant"
    case anyTenant = "AnyTenant"
    /// To any, once the provider has installed it anew and said so.
    case reimage = "Reimage"
}

public enum MachinePhase: String, Codable, Sendable, CaseIterable {
    case available = "Available"
    case claimed = "Claimed"
    case joining = "Joining"
    case ready = "Ready"
    case draining = "Draining"
    case cleaning = "Cleaning"
    case quarantined = "Quarantined"
    /// A node that gets a new kubelet or configuration where it is: cordoned, drained, swapped, and Ready again.
    case upgrading = "Upgrading"
    /// Cleaned, and waiting until somebody has installed it anew (`reuse: Reimage`).
    case reimaging = "Reimaging"
}

public struct MachineStatus: Codable, Sendable, Equatable {
    public var observedGeneration: Int?
    public var phase: MachinePhase?
    public var conditions: [Condition]?
    public var claim: MachineClaim?
    /// The epoch of the last claim.
    public var lastEpoch: Int?
    /// The namespace that last held it: where `reuse: SameTenant` lets it go back to.
    public var lastTenant: String?
    /// The clusters that it cannot be a node of, found when it was looked at before joining; the last one last.
    public var unfitFor: [Unfitness]?
    /// The host key seen first, pinned from then on.
    public var hostKey: String?
    /// The key made while cleaning, from before it is put to use: both are trusted until then.
    public var nextHostKey: String?
    public var facts: MachineFacts?
    public var plan: PlanStatus?
    /// Why it is Quarantined, in a sentence.
    public var message: String?
    /// The host key that it had before it was installed anew: one that still has it was not.
    public var previousHostKey: String?
    /// The upgrade in place under way, or the last one when it failed.
    public var upgrade: MachineUpgrade?
    /// How its node is being mended, or was; nil while there was nothing to mend.
    public var repair: RepairStatus?
    /// The jump host's key that was seen first, pinned from then on.
    public var jumpHostKey: String?
    /// Why a person wants it out of use: a node is drained first, and the machine is Quarantined then, as it is.
    public var quarantineReason: String?
    /// What came of the last request.
    public var answer: MachineAnswer?
    /// What its owner may run on it, where it joins by a command (`nestbox token command`).
    public var script: MachineScript?

    public init(
        observedGeneration: Int? = nil, phase: MachinePhase? = nil, conditions: [Condition]? = nil, claim: MachineClaim? = nil,
        lastEpoch: Int? = nil, lastTenant: String? = nil, unfitFor: [Unfitness]? = nil, hostKey: String? = nil, nextHostKey: String? = nil,
        facts: MachineFacts? = nil, plan: PlanStatus? = nil, message: String? = nil, previousHostKey: String? = nil,
        repair: RepairStatus? = nil, jumpHostKey: String? = nil, quarantineReason: String? = nil, answer: MachineAnswer? = nil,
        upgrade: MachineUpgrade? = nil, script: MachineScript? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.phase = phase
        self.conditions = conditions
        self.claim = claim
        self.lastEpoch = lastEpoch
        self.lastTenant = lastTenant
        self.unfitFor = unfitFor
        self.hostKey = hostKey
        self.nextHostKey = nextHostKey
        self.facts = facts
        self.plan = plan
        self.message = message
        self.previousHostKey = previousHostKey
        self.repair = repair
        self.jumpHostKey = jumpHostKey
        self.quarantineReason = quarantineReason
        self.answer = answer
        self.upgrade = upgrade
        self.script = script
    }
}

/// A plan as a script that is fetched by its SHA-256. No secret is in it.
public struct MachineScript: Codable, Sendable, Equatable {
    /// `Join` or `Clean`.
    public var plan: String
    public var sha256: String
    /// The claim's.
    public var epoch: Int

    public init(plan: String, sha256: String, epoch: Int) {
        self.plan = plan
        self.sha256 = sha256
        self.epoch = epoch
    }

    /// The host's Service, in the operators' namespace, where scripts and what they fetch are served.
    public static let serviceName = "nestbox-artifacts"

    /// The Secret, in the operators' namespace, with what the machine joins by.
    public static func ticketSecret(machine: String) -> String { "join-\(machine)" }

    /// Its member with the token that the script is given.
    public static let tokenMember = "token"
}

/// One upgrade of a node where it is. Times are RFC 3339.
public struct MachineUpgrade: Codable, Sendable, Equatable {
    /// The node template's, to become the claim's.
    public var revision: String
    public var startedAt: String
    /// From then on the machine is worked on.
    public var drainedAt: String?
    /// When the new kubelet started, by the machine's own clock, as what it says of its Node is.
    public var kubeletStartedAt: String?
    /// Why it failed, in a sentence; what was there before runs again then.
    public var failure: String?
    public var failedAt: String?

    public init(
        revision: String, startedAt: String, drainedAt: String? = nil, kubeletStartedAt: String? = nil, failure: String? = nil,
        failedAt: String? = nil
    ) {
        self.revision = revision
        self.startedAt = startedAt
        self.drainedAt = drainedAt
        self.kubeletStartedAt = kubeletStartedAt
        self.failure = failure
        self.failedAt = failedAt
    }
}

/// Who holds a Machine. The UIDs make a pool that was deleted and made anew another holder.
public struct MachineClaim: Codable, Sendable, Equatable {
    public var namespace: String
    public var nodePool: String
    public var nodePoolUID: String
    public var hostedCluster: String
    public var hostedClusterUID: String
    /// Counts the claims of this Machine: fences a plan of an earlier one.
    public var epoch: Int
    /// The tenant's pod CIDR that this node carries.
    public var podCIDR: String?
    /// The tenant's networks, kept here because the machine is cleaned of them also when the cluster is gone.
    public var clusterPodCIDR: String?
    public var serviceCIDR: String?
    public var nodeLocalAPIAddress: String?
    /// Set once the machine is to be given back.
    public var released: Bool?
    /// Why it is, where that is known.
    public var releasedFor: ReleaseReason?
    /// Set before the first change on the machine: from then on it is cleaned whatever it says of itself.
    public var changed: Bool?
    /// The SHA-256 of the list of what was on the machine before it joined. The list itself lies there.
    public var baseline: String?
    /// The node template that its node was made from, or upgraded to.
    public var revision: String?
    /// RFC 3339.
    public var claimedAt: String?

    public init(
        namespace: String, nodePool: String, nodePoolUID: String, hostedCluster: String, hostedClusterUID: String, epoch: Int,
        podCIDR: String? = nil, clusterPodCIDR: String? = nil, serviceCIDR: String? = nil, nodeLocalAPIAddress: String? = nil,
        released: Bool? = nil, releasedFor: ReleaseReason? = nil, changed: Bool? = nil, baseline: String? = nil,
        revision: String? = nil, claimedAt: String? = nil
    ) {
        self.namespace = namespace
        self.nodePool = nodePool
        self.nodePoolUID = nodePoolUID
        self.hostedCluster = hostedCluster
        self.hostedClusterUID = hostedClusterUID
        self.epoch = epoch
        self.podCIDR = podCIDR
        self.clusterPodCIDR = clusterPodCIDR
        self.serviceCIDR = serviceCIDR
        self.nodeLocalAPIAddress = nodeLocalAPIAddress
        self.released = released
        self.releasedFor = releasedFor
        self.changed = changed
        self.baseline = baseline
        self.revision = revision
        self.claimedAt = claimedAt
    }
}

/// Why a pool gives a Machine back.
public enum ReleaseReason: String, Codable, Sendable, CaseIterable {
    /// Fewer replicas are asked for: the only one that asking for more again undoes.
    case scaledDown = "ScaledDown"
    case machineDeleted = "MachineDeleted"
    case poolDeleted = "PoolDeleted"
    case clusterDeleted = "ClusterDeleted"
    /// Its node was unwell and could not be mended: another Machine takes its place.
    case notMended = "NotMended"
    /// A person asked for it: to have it cleaned, or out of use.
    case askedFor = "AskedFor"
    /// It cannot be this cluster's node, which was found before anything on it was changed.
    case unfit = "Unfit"
    /// Its node is of an older template than the pool's: another Machine takes its place, or this one as a new node.
    case outdated = "Outdated"
}

/// Why a Machine cannot be a node of one cluster.
public struct Unfitness: Codable, Sendable, Equatable {
    public var hostedClusterUID: String
    public var message: String

    public init(hostedClusterUID: String, message: String) {
        self.hostedClusterUID = hostedClusterUID
        self.message = message
    }
}

public struct MachineFacts: Codable, Sendable, Equatable {
    public var architecture: String?
    public var operatingSystem: String?
    public var kernel: String?
    public var machineID: String?
    public var cpus: Int?
    public var memoryMiB: Int?
    /// 1 or 2.
    public var cgroupVersion: Int?
    /// Of the kubelet that runs on it, while it is a node.
    public var kubeletVersion: String?
    /// What nodes need and it has of its own, with versions: `containerd`, `runc`, `cni`...
    public var tools: [String: String]?
    /// Folders that nodes use and that were there before it became one.
    public var folders: [String]?
    /// The containers of its own container runtimes, in words; none unless set.
    public var containers: String?
    /// `debian`, as /etc/os-release has it.
    public var operatingSystemID: String?
    /// `12`.
    public var operatingSystemVersion: String?
    /// Those that are built in, by name.
    public var disks: [DiskFact]?
    /// Graphics processors and other accelerators, by PCI ids.
    public var gpus: [GPUFact]?

    public init(
        architecture: String? = nil, operatingSystem: String? = nil, kernel: String? = nil, machineID: String? = nil,
        cpus: Int? = nil, memoryMiB: Int? = nil, cgroupVersion: Int? = nil, kubeletVersion: String? = nil,
        tools: [String: String]? = nil, folders: [String]? = nil, containers: String? = nil, operatingSystemID: String? = nil,
        operatingSystemVersion: String? = nil, disks: [DiskFact]? = nil, gpus: [GPUFact]? = nil
    ) {
        self.architecture = architecture
        self.operatingSystem = operatingSystem
        self.kernel = kernel
        self.machineID = machineID
        self.cpus = cpus
        self.memoryMiB = memoryMiB
        self.cgroupVersion = cgroupVersion
        self.kubeletVersion = kubeletVersion
        self.tools = tools
        self.folders = folders
        self.containers = containers
        self.operatingSystemID = operatingSystemID
        self.operatingSystemVersion = operatingSystemVersion
        self.disks = disks
        self.gpus = gpus
    }
}

/// One disk.
public struct DiskFact: Codable, Sendable, Equatable {
    /// `nvme0n1`.
    public var name: String
    public var sizeGiB: Int
    /// `nvme`, `ssd`, `hdd` or `virtual`.
    public var kind: String

    public init(name: String, sizeGiB: Int, kind: String) {
        self.name = name
        self.sizeGiB = sizeGiB
        self.kind = kind
    }
}

/// So many alike.
public struct GPUFact: Codable, Sendable, Equatable {
    /// `nvidia`, `amd` or `intel`.
    public var vendor: String
    /// PCI vendor and device, as in `10de:20b5`.
    public var device: String
    public var count: Int

    public init(vendor: String, device: String, count: Int) {
        self.vendor = vendor
        self.device = device
        self.count = count
    }
}

/// The plan under way, or the last one.
public struct PlanStatus: Codable, Sendable, Equatable {
    /// `Join`, `Upgrade`, `Repair` or `Clean`.
    public var name: String
    public var steps: [StepStatus]

    public init(name: String, steps: [StepStatus]) {
        self.name = name
        self.steps = steps
    }
}

public struct StepStatus: Codable, Sendable, Equatable {
    public var name: String
    public var state: StepState
    /// RFC 3339.
    public var startedAt: String?
    public var finishedAt: String?
    /// The machine's own words when it failed, bounded and cleaned.
    public var message: String?

    public init(name: String, state: StepState, startedAt: String? = nil, finishedAt: String? = nil, message: String? = nil) {
        self.name = name
        self.state = state
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.message = message
    }
}

public enum StepState: String, Codable, Sendable, CaseIterable {
    case pending = "Pending"
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"
}
