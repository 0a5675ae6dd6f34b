public import ArtifactStore
public import KubernetesVersions
public import Logging

/// A hosting provider on one computer: a host cluster of one node or of three, and worker machines that answer SSH.
///
/// Everything of a lab lives in its folder of the cache and in namespaces that end with its one supervisor process; of the
/// computer's own network it takes one interface. What is said here holds for every method: any may be called at any time,
/// from any state, by several processes.
public struct Lab: Sendable {
    public let name: String
    let labName: LabName
    let artifacts: ArtifactStore
    let version: KubernetesVersion?
    let supervisor: [String]
    let paths: LabPaths
    let logger: Logger
    let progress: LabProgress

    /// - Parameters:
    ///   - artifacts: where Kubernetes and the tools come from; the lab's folder is in its root.
    ///   - kubernetesVersion: the host's; the running one's, or the store's default, where none is given.
    ///   - supervisor: the command that runs `Supervisor` when `--state FOLDER` is added to it:
    ///     this very program's `lab supervise`, where none is given.
    public init(
        name: String = "demo", artifacts: ArtifactStore, kubernetesVersion: KubernetesVersion? = nil, supervisor: [String]? = nil,
        logger: Logger, progress: @escaping LabProgress = { _ in }
    ) throws {
        let labName = try LabName(name)
        self.name = name
        self.labName = labName
        self.artifacts = artifacts
        self.version = kubernetesVersion
        self.supervisor = try supervisor ?? [ThisProgram.path(), "lab", "supervise"]
        self.paths = LabPaths(cache: artifacts.root, name: labName)
        self.logger = logger
        self.progress = progress
    }

    var cgroups: Cgroups { Cgroups(name: labName.cgroup) }

    /// One at a time works on this lab.
    func exclusively<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        try await FileLock.holding(
            paths.lock, waiting: { progress(.note("waiting for another nestbox that is at work on the lab \(name)")) }, body)
    }

    /// A step with a name and a time.
    func phase<T: Sendable>(_ name: String, _ body: () async throws -> T) async throws -> T {
        progress(.began(phase: name))
        let start = ContinuousClock.now
        let result = try await body()
        progress(.ended(phase: name, after: ContinuousClock.now - start))
        return result
    }

    func state(_ spec: LabSpec, bin: String) -> LabState {
        LabState(
            name: name, hostKubeconfigPath: paths.kubeconfig, hostAddress: "\(spec.addresses.host)", hostNodeName: labName.node,
            kubernetesVersion: "\(spec.version)", hostNodes: spec.booted.filter { !spec.machines.contains($0) }, machines: spec.machines,
            sshKeyPath: paths.sshKey, binPath: bin,
            machinesNetwork: "\(spec.addresses.machines)", podsNetwork: "\(spec.addresses.pods)")
    }
}
