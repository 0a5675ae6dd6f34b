import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// Statuses with every field set.
enum FullStatus {
    static let time = "2026-08-01T12:00:00Z"
    static let conditions = [
        Condition(type: "Available", status: "True", reason: "Serving", message: "", observedGeneration: 1, lastTransitionTime: time),
        Condition(type: "Progressing", status: "Unknown", reason: "Asking", message: "é", lastTransitionTime: time),
    ]

    static let hostedCluster = HostedClusterStatus(
        observedGeneration: 1, conditions: conditions, controlPlaneNamespace: "hcp-a-b-c", apiEndpoints: ["192.0.2.1:30000"],
        tunnelEndpoints: ["192.0.2.1:30001"],
        retiringEndpoints: RetiringEndpoints(api: ["192.0.2.2:30000"], tunnel: [], since: time), caFingerprint: "sha256:00",
        etcdClusterID: "cdf818194e3a8c32", etcdImageTag: "3.4.13-0", etcdPrefix: "/nestbox/a/b/c", version: KubernetesVersion(1, 20, 2),
        release: "v0.2.0",
        versionHistory: [
            VersionHistoryEntry(
                version: KubernetesVersion(1, 20, 2), release: "v0.1.0", state: .completed, startedAt: time, servedAt: time,
                completedAt: time),
            VersionHistoryEntry(version: KubernetesVersion(1, 21, 0), startedAt: time),
        ],
        upgradeCheck: UpgradeAnswer(
            id: "1", version: KubernetesVersion(1, 21, 0), release: "v0.2.0", checks: [UpgradeCheck("Nodes", .warning, "m")],
            answeredAt: time),
        kubeconfigSecret: "a-kubeconfig", nodes: NodeCounts(total: 2, ready: 0),
        controlPlane: ReplicaCounts(replicas: 3, running: 4, ready: 0), etcd: EtcdMemberCounts(members: 3, ready: 0),
        deletion: "machines to be cleaned: a",
        certificates: CertificatesStatus(
            nextExpiry: time, nextRenewal: time, authorityExpiry: time,
            items: [
                CertificateStatus(
                    name: "apiserver", kind: .leaf, notBefore: time, notAfter: time, renewal: time, takenUp: .reload),
                CertificateStatus(name: "cluster-ca", kind: .authority, notBefore: time, notAfter: time),
            ], renewal: CertificateRenewal(id: "1", state: .refused, message: "said", issuedAt: time)))

    static let nodePool = NodePoolStatus(
        observedGeneration: 1, conditions: conditions, replicas: 2, readyReplicas: 0, updatedReplicas: 1,
        selector: "nestbox.dev/nodepool=p", versions: ["v1.20.2": 0], revision: "0123456789",
        history: [
            NodePoolRevision(
                number: 1, revision: "0123456789", version: KubernetesVersion(1, 20, 2),
                nodeConfiguration: ["kubelet": ["maxPods": 50, "evictionHard": ["memory.available": "5%"]], "files": []], createdAt: time)
        ], terminatingReplicas: 0)

    static let machine = MachineStatus(
        observedGeneration: 1, phase: .ready, conditions: conditions,
        claim: MachineClaim(
            namespace: "a", nodePool: "p", nodePoolUID: "1", hostedCluster: "c", hostedClusterUID: "2", epoch: 3, podCIDR: "10.244.0.0/24",
            released: false, releasedFor: .scaledDown, changed: true, baseline: "00", revision: "0123456789", claimedAt: time),
        lastEpoch: 3, lastTenant: "a",
        unfitFor: [Unfitness(hostedClusterUID: "u", message: "m")], hostKey: "ssh-ed25519 AAAA",
        facts: MachineFacts(
            architecture: "amd64", operatingSystem: "Debian GNU/Linux 12", kernel: "6.1.0", machineID: "0123", cpus: 2, memoryMiB: 2048,
            kubeletVersion: "v1.20.2", operatingSystemID: "debian", operatingSystemVersion: "12",
            disks: [DiskFact(name: "nvme0n1", sizeGiB: 894, kind: "nvme")], gpus: [GPUFact(vendor: "nvidia", device: "10de:20b5", count: 8)]
        ),
        plan: PlanStatus(
            name: "Join",
            steps: StepState.allCases.map { StepStatus(name: "step", state: $0, startedAt: time, finishedAt: time, message: "said") }),
        message: "in a sentence", previousHostKey: "ssh-ed25519 AAAA",
        repair: RepairStatus(
            state: .mending, since: time, attempts: 1, lastAttempt: time, message: "nestbox-kubelet is failed: restarted", needsTicket: true
        ), jumpHostKey: "ssh-ed25519 AAAA", quarantineReason: "a fan is dead",
        answer: MachineAnswer(
            id: "1", verb: .check, result: .failed, message: "said",
            findings: [MachineFinding(name: "Clock", passed: false, message: "late")],
            cursor: "s=1", answeredAt: time),
        upgrade: MachineUpgrade(
            revision: "0123456789", startedAt: time, drainedAt: time, kubeletStartedAt: time, failure: "words", failedAt: time),
        script: MachineScript(plan: "Join", sha256: "00", epoch: 3))
}
