extension Lab {
    /// What there is of the lab right now. Changes nothing.
    public func status() async throws -> LabStatus {
        let paths = self.paths
        return try await offPool {
            guard let spec = try Files.decode(LabSpec.self, ifThere: paths.spec) else {
                return LabStatus(name: name, phase: .absent, components: [], machines: [])
            }
            let alive = try SupervisorProcess.running(paths) != nil
            let report = alive ? try Files.decode(SupervisorReport.self, ifThere: paths.status) : nil
            return Self.status(spec, alive: alive, report: report)
        }
    }

    static func status(_ spec: LabSpec, alive: Bool, report: SupervisorReport?) -> LabStatus {
        var status = LabStatus(
            name: "\(spec.name)", phase: .stopped, hostAddress: "\(spec.addresses.host)", kubernetesVersion: "\(spec.version)",
            components: report?.components ?? [], machines: report?.machines ?? [])
        if alive {
            let complete = report.map {
                $0.troubles.isEmpty && $0.components.count == spec.components.count && $0.machines.count == spec.booted.count
            }
            status.phase = complete == true ? .up : .degraded
        }
        return status
    }

    /// Where things are, of a lab that was brought up; nil when there is none.
    public func current() async throws -> LabState? {
        let paths = self.paths
        guard let spec = try await offPool({ try Files.decode(LabSpec.self, ifThere: paths.spec) }) else { return nil }
        let bin = spec.components.first { $0.name == "kubelet" }.map { String($0.program.dropLast("/kubelet".count)) } ?? ""
        return state(spec, bin: bin)
    }
}
