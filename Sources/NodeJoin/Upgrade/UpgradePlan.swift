extension Plan {
    /// Makes a drained node one of another kubelet or configuration, where it is. The cordon, the drain and the look at its Node are the
    /// operator's.
    ///
    /// All that takes long is brought there first; then everything is swapped in one step, which brings back what was there before when
    /// the new kubelet does not come up. The outcome's output `kubeletStarted` is when it did, by the machine's own clock.
    public static func upgrade(_ parameters: JoinParameters) -> Plan {
        let (artifacts, configuration) = (parameters.artifacts, parameters.nodeConfiguration)
        var steps = [PreviousNode.keep]
        steps += ToolsSteps.tools(parameters.tools, tar: artifacts.nodeTools)
        steps += [SwapStep.stage(artifacts), Containerd.image(artifacts.pauseImage, isPause: true)]
        steps += artifacts.images.map { Containerd.image($0) }
        steps += ConfiguredSteps.preJoin(configuration)
        steps.append(SwapStep.step(parameters))
        for var command in ConfiguredSteps.postJoin(configuration) {
            // Once, for what it failed at is taken back, and to try it alone again would be to try it on the old node.
            (command.retry, command.undo) = (.once, PreviousNode.bringBack)
            steps.append(command)
        }
        steps.append(SwapStep.finish)
        return Plan(name: "Upgrade", fence: ClaimFile.fence(parameters.owner), steps: steps)
    }
}
