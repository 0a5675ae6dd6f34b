import Foundation

/// Objects as the APIs show them, read by this campaign's own eyes: the fields that it judges by, and no types of the operator's.
struct MachineSeen: Equatable, Sendable {
    var name: String
    var uid = ""
    var address = ""
    /// Empty while the operator has not looked at it.
    var phase = ""
    /// Of its claim.
    var pool: String?
    var cluster: String?
    var epoch: Int?
    var podCIDR: String?
    /// Nil unless it is to be given back.
    var releasedFor: String?
    var revision: String?
    /// The revision of an upgrade in place.
    var upgrade: String?
    var repair: String?
    var message = ""
    var isBeingDeleted = false
}

struct PoolSeen: Equatable, Sendable {
    var name: String
    var isObserved = false
    var replicas = 0
    var ready = 0
    var updated = 0
    var revision = ""
    /// By type: status, reason and message.
    var conditions: [String: String] = [:]
}

struct NodeSeen: Equatable, Sendable {
    var name: String
    var uid = ""
    var isReady = true
    var isCordoned = false
    var podCIDR: String?
    var address: String?
    var version = ""
}

struct PodSeen: Equatable, Sendable {
    var name: String
    var uid: String
    var node: String?
    var isLeaving = false
    var phase = ""
    /// Of a pod that failed.
    var reason = ""
    var isReady = false
    /// It has an identity that only one may have.
    var isStateful = false
}

/// What of an API is watched.
protocol Watched: Decodable, Sendable {
    associatedtype Seen: Sendable
    var key: String { get }
    var seen: Seen { get }
}

struct RawMeta: Decodable, Sendable {
    struct Owner: Decodable, Sendable { var kind: String }
    var name: String
    var uid: String
    var generation: Int?
    var deletionTimestamp: String?
    var ownerReferences: [Owner]?
}

struct RawCondition: Decodable, Sendable {
    var type: String
    var status: String
    var reason: String?
    var message: String?
}

struct RawMachine: Watched {
    struct Spec: Decodable, Sendable { var address: String? }
    struct Claim: Decodable, Sendable {
        var nodePool: String
        var hostedClusterUID: String
        var epoch: Int
        var podCIDR: String?
        var released: Bool?
        var releasedFor: String?
        var revision: String?
    }
    struct Upgrade: Decodable, Sendable { var revision: String }
    struct Repair: Decodable, Sendable { var state: String }
    struct Status: Decodable, Sendable {
        var phase: String?
        var claim: Claim?
        var upgrade: Upgrade?
        var repair: Repair?
        var message: String?
    }
    var metadata: RawMeta
    var spec: Spec?
    var status: Status?

    var key: String { metadata.name }
    var seen: MachineSeen {
        let claim = status?.claim
        return MachineSeen(
            name: metadata.name, uid: metadata.uid, address: spec?.address ?? "", phase: status?.phase ?? "", pool: claim?.nodePool,
            cluster: claim?.hostedClusterUID, epoch: claim?.epoch, podCIDR: claim?.podCIDR,
            releasedFor: claim?.released == true ? claim?.releasedFor ?? "" : nil, revision: claim?.revision,
            upgrade: status?.phase == "Upgrading" ? status?.upgrade?.revision : nil, repair: status?.repair?.state,
            message: status?.message ?? "", isBeingDeleted: metadata.deletionTimestamp != nil)
    }
}

struct RawPool: Watched {
    struct Spec: Decodable, Sendable { var replicas: Int? }
    struct Status: Decodable, Sendable {
        var observedGeneration: Int?
        var replicas: Int?
        var readyReplicas: Int?
        var updatedReplicas: Int?
        var revision: String?
        var conditions: [RawCondition]?
    }
    var metadata: RawMeta
    var spec: Spec?
    var status: Status?

    var key: String { metadata.name }
    var seen: PoolSeen {
        PoolSeen(
            name: metadata.name, isObserved: status?.observedGeneration == metadata.generation, replicas: status?.replicas ?? 0,
            ready: status?.readyReplicas ?? 0, updated: status?.updatedReplicas ?? 0, revision: status?.revision ?? "",
            conditions: Dictionary(
                (status?.conditions ?? []).map { ($0.type, "\($0.status) \($0.reason ?? ""): \($0.message ?? "")") },
                uniquingKeysWith: { $1 }))
    }
}

struct RawNode: Watched {
    struct Spec: Decodable, Sendable {
        var unschedulable: Bool?
        var podCIDR: String?
    }
    struct Address: Decodable, Sendable {
        var type: String
        var address: String
    }
    struct Info: Decodable, Sendable { var kubeletVersion: String }
    struct Status: Decodable, Sendable {
        var conditions: [RawCondition]?
        var addresses: [Address]?
        var nodeInfo: Info?
    }
    var metadata: RawMeta
    var spec: Spec?
    var status: Status?

    var key: String { metadata.name }
    var seen: NodeSeen {
        NodeSeen(
            name: metadata.name, uid: metadata.uid, isReady: status?.conditions?.first { $0.type == "Ready" }?.status == "True",
            isCordoned: spec?.unschedulable == true, podCIDR: spec?.podCIDR,
            address: status?.addresses?.first { $0.type == "InternalIP" }?.address, version: status?.nodeInfo?.kubeletVersion ?? "")
    }
}

struct RawPod: Watched {
    struct Spec: Decodable, Sendable { var nodeName: String? }
    struct Status: Decodable, Sendable {
        var phase: String?
        var reason: String?
        var conditions: [RawCondition]?
    }
    var metadata: RawMeta
    var spec: Spec?
    var status: Status?

    var key: String { metadata.uid }
    var seen: PodSeen {
        PodSeen(
            name: metadata.name, uid: metadata.uid, node: spec?.nodeName, isLeaving: metadata.deletionTimestamp != nil,
            phase: status?.phase ?? "", reason: status?.reason ?? "",
            isReady: status?.conditions?.contains { $0.type == "Ready" && $0.status == "True" } ?? false,
            isStateful: metadata.ownerReferences?.contains { $0.kind == "StatefulSet" } ?? false)
    }
}

/// What a look into a machine itself said.
struct MachineLook: Equatable, Sendable {
    /// The first line of its claim file.
    var claim = ""
    var runsKubelet = false
    /// What of a node is there.
    var leftovers: [String] = []

    /// Reads what `script` prints.
    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "claim": claim = parts[1]
            case "kubelet": runsKubelet = parts[1] == "active"
            case "left": leftovers.append(parts[1])
            default: break
            }
        }
    }

    static let script = """
        echo "claim $(head -n 1 /etc/nestbox/claim 2> /dev/null)"
        echo "kubelet $(systemctl is-active nestbox-kubelet)"
        ps -eo comm= | grep -E '^(kubelet|containerd|kube-proxy|nestbox|pause)' | sort -u | sed 's/^/left process /'
        ls -d /etc/kubernetes /etc/nestbox /etc/cni /opt/nestbox /opt/cni /run/containerd 2> /dev/null | sed 's/^/left /'
        find /var/lib/kubelet /var/lib/containerd -mindepth 1 -maxdepth 1 2> /dev/null | sed 's/^/left /'
        ip -o link | grep -oE '(cni|veth|nestbox)[^:@ ]*' | sed 's/^/left link /'
        true
        """
}
