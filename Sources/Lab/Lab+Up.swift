import ArtifactStore
import FoundationEssentials
import Glibc
import KubernetesClient
import KubernetesVersions
import NestboxAPI

extension Lab {
    /// How long the host may take, on a slow computer, from its start to its node being ready.
    private static let patience: Duration = .seconds(180)

    /// Brings the lab up, or what is there of it to what it should be.
    /// - Parameters:
    ///   - count: how many machines; as many as there are, or two, where nothing is said.
    ///   - nodes: how many nodes the host has, beside the embedded one machines of its own; as many as there are, or one, where nothing
    ///     is said.
    ///   - tenants: versions of which the host is to have the control planes' images, beside its own; as before, where nothing is said.
    ///   - images: for the host's pods, beside Kubernetes' own and etcd.
    public func up(
        machines count: Int? = nil, hostNodes nodes: Int? = nil, tenants: [KubernetesVersion]? = nil, images: [ImageArchive] = []
    ) async throws -> LabState {
        let cache = paths.cache
        try await offPool { try Preflight.check(cache: cache) }
        return try await exclusively { try await upExclusively(machines: count, nodes: nodes, tenants: tenants, images: images) }
    }

    /// What the lab was last meant to be. A file of another release that cannot be read is as good as none: `up` makes it anew.
    private func recordedSpec() async throws -> LabSpec? {
        let paths = self.paths
        do {
            return try await offPool { try Files.decode(LabSpec.self, ifThere: paths.spec) }
        } catch let error as LabError {
            progress(.note("\(error); it is written anew"))
            return nil
        }
    }

    private func upExclusively(
        machines count: Int?, nodes: Int?, tenants: [KubernetesVersion]?, images: [ImageArchive]
    ) async throws -> LabState {
        let paths = self.paths
        let existing = try await recordedSpec()
        let note: ArtifactProgress = { [progress] in progress(.note($0)) }

        async let rootfs = phase("Debian for the machines") {
            try await MachineRootfs(cache: paths.cache).ensure(note: note)
        }
        let made = try await phase("Kubernetes and its tools") {
            let wanted = version ?? existing?.version
            let chosen: KubernetesVersion
            if let wanted { chosen = wanted } else { chosen = try await artifacts.defaultVersion() }
            let others = Set(tenants ?? existing?.tenantVersions ?? []).subtracting([chosen]).sorted()
            return try await LabArtifacts.bring(chosen, tenants: others, from: artifacts, note: note)
        }
        let spec = try await wantedSpec(made, rootfs: try await rootfs, machines: count, nodes: nodes, existing: existing)
        let limit = try await offPool { try Files.text(ifThere: InotifyRoom.path) }?.split(whereSeparator: \.isNewline).first
        if let limit = limit.flatMap({ Int($0) }), let shortage = InotifyRoom.shortage(machines: spec.booted.count, limit: limit) {
            progress(.note(shortage))
        }
        let bin = "\(made.kubernetes.directory)/bin"
        let configurations = spec.nodes.map { configuration(made, addresses: spec.addresses, node: $0) }

        let running = try await offPool { try SupervisorProcess.running(paths) }
        let decision = LabDecision.decide(running: existing, alive: running != nil, wanted: spec)
        switch decision {
        case .keep: try await offPool { try running?.signal(SIGHUP) }
        case .reload:
            try await offPool {
                try Files.encode(spec, to: paths.spec)
                try running?.signal(SIGHUP)
            }
        case .restart(let reason):
            progress(.note("the lab runs, and \(reason): starting it anew"))
            try await phase("stop") { try await stop() }
            try await start(spec, configurations)
        case .start:
            try await phase("clear what is left of an earlier run") { try await stop() }
            try await start(spec, configurations)
        }
        try await ComputerLink(name: labName.link, plan: spec.addresses).configure()

        try await settle(spec, made, images: made.images + images)
        return state(spec, bin: bin)
    }

    /// Waits for everything, side by side.
    private func settle(_ spec: LabSpec, _ made: LabArtifacts, images: [ImageArchive]) async throws {
        let tools = made.tools
        let access = try HostAPI.configuration(kubeconfig: paths.kubeconfig)
        try await KubernetesClient.with(access, userAgent: HostAPI.userAgent, logger: logger) { api in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await phase("host API") {
                        try await wait("the host's API to be ready") { await HostAPI.isReady(api) }
                        try await HostAPI.prepare(api, nodes: spec.nodes)
                    }
                    try await phase(spec.nodes.count > 1 ? "host nodes" : "host node") {
                        let start = try await startOfSupervisor()
                        for node in spec.nodes {
                            try await wait("the host's node \(node.name) to be ready") {
                                try await HostAPI.isNodeReady(api, node.name, since: start)
                            }
                        }
                    }
                }
                for node in spec.nodes {
                    group.addTask {
                        try await wait("containerd of the host's node \(node.name) to answer") {
                            try await containerdAnswers(tools, of: node)
                        }
                        try await importImages(images, tools: tools, to: node)
                        try await name(made.etcd.image, also: made.etcdReferences, tools: tools, on: node)
                        for image in images {
                            try await name(image, also: OwnImages.otherNames(of: image.reference), tools: tools, on: node)
                        }
                    }
                }
                group.addTask {
                    guard !spec.booted.isEmpty else { return }
                    try await phase("machines") { try await wait("the machines to answer SSH") { try await machinesAreReady(spec) } }
                }
                try await group.waitForAll()
            }
        }
    }

    private func startOfSupervisor() async throws -> Date {
        let path = paths.supervisorProcess
        return try await offPool { try Files.modificationTime(path) }
    }

    private func machinesAreReady(_ spec: LabSpec) async throws -> Bool {
        let path = paths.status
        let report = try await offPool { try Files.decode(SupervisorReport.self, ifThere: path) }
        let ready = Set((report?.machines ?? []).filter { $0.phase == .ready }.map(\.name))
        return ready == Set(spec.booted.map(\.name))
    }

    /// Waits with a deadline; what does not come to be is explained by what the supervisor says, and by the end of the logs.
    private func wait(_ what: String, _ condition: () async throws -> Bool) async throws {
        let paths = self.paths
        var checkAlive = 0
        let came = try await Wait.until(Self.patience) {
            checkAlive += 1
            if checkAlive.isMultiple(of: 20), try await offPool({ try SupervisorProcess.running(paths) }) == nil {
                throw LabError("waiting for \(what): the lab's supervisor ended:\n\(try await lastWords(of: ["boot"]))")
            }
            return try await condition()
        }
        if came { return }
        let report = try await offPool { try Files.decode(SupervisorReport.self, ifThere: paths.status) } ?? SupervisorReport()
        let troubled = report.components.filter { $0.restarts > 0 || $0.phase != .running }.map(\.name)
        throw LabError(
            "\(what) did not come to be within \(Self.patience): \(report.troubles.joined(separator: ", "))\n"
                + (try await lastWords(of: troubled.isEmpty ? ["boot", "kubelet"] : troubled)) + "Logs are in \(paths.logs).")
    }

    private func lastWords(of logs: [String]) async throws -> String {
        let paths = self.paths
        return try await offPool {
            try logs.map { "\($0).log:\n\(Command.lastLines(try Files.text(ifThere: paths.log($0)) ?? "", 6))\n" }.joined()
        }
    }

    private func wantedSpec(
        _ made: LabArtifacts, rootfs: String, machines count: Int?, nodes: Int?, existing: LabSpec?
    ) async throws -> LabSpec {
        let count = count ?? existing?.machines.count ?? 2
        guard (0...AddressPlan.mostMachines).contains(count) else {
            throw LabError("a lab has 0 to \(AddressPlan.mostMachines) machines, not \(count)")
        }
        let nodes = nodes ?? existing?.nodes.count ?? 1
        guard (1...HostNode.most).contains(nodes) else {
            throw LabError("a lab's host has 1 to \(HostNode.most) nodes, not \(nodes)")
        }
        let addresses: AddressPlan
        if let existing { addresses = existing.addresses } else { addresses = try await freeAddresses() }
        let kubernetes = made.kubernetes.directory
        func components(_ node: HostNode) -> HostComponents {
            HostComponents(
                configuration: configuration(made, addresses: addresses, node: node), etcd: made.etcd.etcd.path,
                containerd: made.tools.program("containerd"), kubernetes: { "\(kubernetes)/bin/\($0)" })
        }
        let embedded = HostNode.embedded(name: labName.node, in: addresses, of: nodes)
        let hostNodes = HostNode.all(nodes, embedded: labName.node, in: addresses).map { node in
            var node = node
            if !node.isEmbedded { node.components = components(node).ofEveryNode }
            return node
        }
        return LabSpec(
            name: labName, addresses: addresses, version: made.kubernetes.version,
            tenantVersions: made.tenants.map(\.version), components: components(embedded).all,
            environment: ["PATH": "\(made.tools.root)/bin:\(Command.systemPath)", "HOME": "/run", "TMPDIR": "/run/tmp", "LC_ALL": "C"],
            rootfs: rootfs, machines: (1...max(count, 1)).prefix(count).map { LabMachine.numbered($0, in: addresses) }, hostNodes: hostNodes
        )
    }

    private func configuration(_ made: LabArtifacts, addresses: AddressPlan, node: HostNode) -> HostConfiguration {
        HostConfiguration(
            addresses: addresses, version: made.kubernetes.version, node: node, paths: paths,
            certificates: HostCertificates(folder: paths.pki, addresses: addresses, node: node),
            cniPlugins: made.tools.cniFolder, pauseImage: made.pause.reference)
    }

    /// Networks that neither this computer nor another lab uses, be it up or not.
    private func freeAddresses() async throws -> AddressPlan {
        var inUse = try await NetworksInUse.ofThisComputer(except: labName.link)
        let cache = paths.cache
        inUse += try await offPool {
            Files.names(in: LabPaths.labs(cache: cache)).compactMap {
                // One that cannot be read is another release's: its networks are among the computer's, if it is up.
                try? Files.decode(LabSpec.self, ifThere: "\(LabPaths.labs(cache: cache))/\($0)/lab.json")?.addresses.all
            }
        }
        return try AddressPlan.choose(for: labName, inUse: inUse)
    }
}
