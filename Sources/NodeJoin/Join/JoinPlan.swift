extension Plan {
    /// Makes a machine a node: from plain Debian to a kubelet that asks for its certificate. The token, the approval and the
    /// wait for the Node are the operator's.
    public static func join(_ parameters: JoinParameters) -> Plan {
        let (artifacts, configuration) = (parameters.artifacts, parameters.nodeConfiguration)
        let components = NodeComponents(parameters)
        var steps = [
            ClaimFile.take(parameters.owner),
            PreflightStep.step(parameters),
            Baseline.take(isTaken: parameters.hasBaseline),
            KernelSettingsStep.step,
            OwnFolders.keep,
        ]
        steps += ConfiguredSteps.settings(configuration) + ConfiguredSteps.preJoin(configuration)
        steps += ToolsSteps.tools(parameters.tools, tar: artifacts.nodeTools)
        steps += [
            ToolsSteps.programs(artifacts),
            components.all.configure("Configuration"),
            components.first.start("StartServices"),
        ]
        steps.append(Containerd.image(artifacts.pauseImage, isPause: true))
        steps += artifacts.images.map { Containerd.image($0) }
        steps += [[components.kubelet].start("StartKubelet"), LocalChecksStep.step(parameters.network)]
        steps += ConfiguredSteps.postJoin(configuration)
        return Plan(name: "Join", fence: ClaimFile.fence(parameters.owner), steps: steps)
    }
}
