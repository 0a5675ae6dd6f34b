extension Plan {
    /// Makes a machine a node: from plain Debian to a kubelet that asks for its certificate. The token, the approval and the
    /// wait for the Node are the operator's.
    public static func join(_ parameters: JoinParameters) -> Plan {
        var steps = [
            ClaimFile.take(parameters.owner),
            PreflightStep.step(parameters),
            KernelSettingsStep.step,
            ToolsSteps.tools(parameters.artifacts.nodeTools),
            ToolsSteps.programs(parameters.artifacts),
        ]
        steps += NodeServiceSteps.steps(parameters)
        steps += PodNetworkStep.steps(parameters.network)
        steps += ContainerdSteps.steps(parameters)
        steps += ([parameters.artifacts.pauseImage] + parameters.artifacts.images).map(ContainerdSteps.image)
        steps += KubeletSteps.steps(parameters)
        steps.append(LocalChecksStep.step(parameters.network))
        return Plan(name: "Join", fence: ClaimFile.fence(parameters.owner), steps: steps)
    }
}
