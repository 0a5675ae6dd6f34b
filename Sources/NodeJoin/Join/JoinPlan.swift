extension Plan {
    /// Makes a machine a node: from plain Debian to a kubelet that asks for its certificate. The token, the approval and the
    /// wait for the Node are the operator's.
    public static func join(_ parameters: JoinParameters) -> Plan {
        let artifacts = parameters.artifacts
        // The kubelet's bootstrap goes through `nestbox-node`, and its pods need the rest.
        let first = [
            NodeService.component(parameters), PodNetwork.component(parameters.network), Containerd.component(artifacts, parameters.tools),
        ]
        .compactMap { $0 }
        let kubelet = Kubelet.component(parameters)
        var steps = [
            ClaimFile.take(parameters.owner),
            PreflightStep.step(parameters),
            Baseline.take(isTaken: parameters.hasBaseline),
            KernelSettingsStep.step,
            OwnFolders.keep,
        ]
        steps += ToolsSteps.tools(parameters.tools, tar: artifacts.nodeTools)
        steps += [
            ToolsSteps.programs(artifacts),
            (first + [kubelet]).configure("Configuration"),
            first.start("StartServices"),
        ]
        steps.append(Containerd.image(artifacts.pauseImage, isPause: true))
        steps += artifacts.images.map { Containerd.image($0) }
        steps += [[kubelet].start("StartKubelet"), LocalChecksStep.step(parameters.network)]
        return Plan(name: "Join", fence: ClaimFile.fence(parameters.owner), steps: steps)
    }
}
