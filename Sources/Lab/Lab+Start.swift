import ControlPlane
import Glibc
import NestboxAPI

extension Lab {
    /// From nothing running to a supervisor at work.
    func start(_ spec: LabSpec, _ configurations: [HostConfiguration]) async throws {
        let (paths, cgroup) = (self.paths, labName.cgroup)
        try await phase("keys and configuration") {
            try await offPool { try writeFiles(spec, configurations) }
            try await MachineKey.ensure(paths)
        }
        try await phase("namespaces") {
            var environment = spec.environment
            environment["BOOT"] = paths.boot
            environment["BOOT_LOG"] = paths.bootLog
            environment["CACHE"] = paths.cache
            environment["STATE"] = paths.state
            environment["PROCESS_FILE"] = paths.supervisorProcess
            environment["CGROUP"] = cgroup
            environment["LINK"] = labName.link
            environment["NODE"] = labName.node
            environment["COMPUTER_PID"] = "\(getpid())"
            environment["HOST_IP"] = "\(spec.addresses.host)"
            environment["GATEWAY"] = "\(spec.addresses.gateway)"
            environment["SERVICES"] = "\(spec.addresses.services)"
            if !spec.nodeMachines.isEmpty {
                environment["HOST_NODES"] = "\(spec.addresses.hostNodes)"
                environment["HOST_NODES_GATEWAY"] = "\(spec.addresses.hostNodesGateway)/\(spec.addresses.hostNodes.prefixLength)"
                environment["HOST_NODE_PODS"] = spec.nodeMachines.map { "\($0.pods) \($0.address)" }.joined(separator: "\n")
            }
            // To the end, also when it is broken off: a host half launched is in no control group yet, and no later `up` or `down`
            // would find it before it meets theirs.
            let launched = environment
            let started = try await Task {
                try await Command.output(
                    "/bin/bash", ["\(paths.boot)/launch.sh"] + supervisor + ["--state", paths.state], environment: launched,
                    purpose: "starting the lab \(name)")
                return try await Wait.until(.seconds(20), every: .milliseconds(10)) {
                    try await offPool { try SupervisorProcess.running(paths) != nil }
                }
            }.value
            try Task.checkCancellation()
            guard started else {
                let log = try await offPool { try Files.text(ifThere: paths.bootLog) } ?? ""
                throw LabError("the lab's namespaces could not be made; the end of \(paths.bootLog) says:\n\(Command.lastLines(log))")
            }
        }
    }

    private func writeFiles(_ spec: LabSpec, _ configurations: [HostConfiguration]) throws {
        // Keys and volumes are in it: nobody but root looks in.
        try Files.createFolder(paths.state, mode: 0o700)
        for folder in [paths.configuration, paths.boot, paths.logs, "\(paths.logs)/pods", paths.volumes, paths.machines] {
            try Files.createFolder(folder)
        }
        for (name, script) in BootScripts.all { try Files.write(script, to: "\(paths.boot)/\(name)") }
        for configuration in configurations { try writeFiles(spec, of: configuration) }
        try Files.encode(spec, to: paths.spec)
    }

    /// What one of the host's nodes reads; and of the embedded one, its admin.
    private func writeFiles(_ spec: LabSpec, of configuration: HostConfiguration) throws {
        let node = configuration.node
        try Files.createFolder(configuration.networkFolder)
        for (path, text) in configuration.files { try Files.write(text, to: path) }

        let keys = try configuration.certificates.ensure()
        let server = "https://\(spec.addresses.host):\(HostComponents.apiPort)"
        func kubeconfig(_ name: HostCertificates.Name, _ user: String) throws -> String {
            guard let pair = keys.issued[name] else { throw LabError("there is no certificate for \(user)") }
            return Kubeconfig.inline(
                name: labName.node, server: server, certificateAuthority: keys.authority, user: user, credential: .certificate(pair))
        }
        var users = [(HostCertificates.Name.kubelet, "kubelet"), (.proxy, "kube-proxy")]
        if node.isEmbedded { users += [(.controllerManager, "controller-manager"), (.scheduler, "scheduler")] }
        for (name, user) in users {
            try Files.write(try kubeconfig(name, user), to: configuration.kubeconfigFile(name), mode: 0o600)
        }
        guard !node.isEmbedded else { return try Files.write(try kubeconfig(.admin, "admin"), to: paths.kubeconfig, mode: 0o600) }
        try Files.createFolder(paths.units(of: node))
        for (name, unit) in HostNodeUnits.files(node.components, environment: spec.environment) {
            try Files.write(unit, to: "\(paths.units(of: node))/\(name)")
        }
    }

    /// Whatever runs of the lab ends, and leaves no group, interface or mount: its files stay.
    func stop() async throws {
        let paths = self.paths
        if let process = try await offPool({ try SupervisorProcess.running(paths) }) {
            // Its components stop in order, etcd last.
            try await offPool { try process.signal(SIGTERM) }
            let ended = try await Wait.until(.seconds(15)) { try await offPool { try !process.isAlive() } }
            if !ended { try await offPool { try process.signal(SIGKILL) } }
        }
        try await finishOff()
    }

    /// Ends what is left, without asking.
    func finishOff() async throws {
        let paths = self.paths
        if let process = try await offPool({ try SupervisorProcess.running(paths) }) { try await offPool { try process.signal(SIGKILL) } }
        try await cgroups.removeAll()
        try await ComputerLink.remove(labName.link)
        for file in [paths.supervisorProcess, paths.status] {
            try await offPool { if unlink(file) != 0, errno != ENOENT { throw LabError("\(file): cannot remove: \(Files.systemError())") } }
        }
    }
}
