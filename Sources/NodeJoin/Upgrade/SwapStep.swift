import NestboxAPI

/// The moment of an upgrade: until then the old kubelet runs, and from then on the new one, or the old one again.
enum SwapStep {
    private static let next = "\(NodePaths.root)/next"

    /// Beside the programs that run.
    static func stage(_ artifacts: JoinArtifacts) -> Step {
        Step(
            "StagePrograms",
            actions: [
                .upload([
                    Upload(artifacts.nestboxNode, to: "\(next)/nestbox-node", mode: 0o755),
                    Upload(artifacts.kubelet, to: "\(next)/kubelet", mode: 0o755),
                ])
            ])
    }

    static func step(_ parameters: JoinParameters) -> Step {
        let components = NodeComponents(parameters)
        let configuration = parameters.nodeConfiguration
        // Also where nothing is wanted any more: what an older configuration set is put back.
        let settings = ConfiguredSysctls.script(configuration.sysctls ?? [:]) + ConfiguredFiles.script(configuration.files ?? [])
        var step = Step(
            "Swap", actions: [.script(settings + programs)], undo: PreviousNode.bringBack, timeout: .seconds(180),
            retry: RetryRule(attempts: 2, delay: .seconds(5)))
        step.actions += components.all.configure("Configuration").actions
        step.actions += components.first.start("StartServices").actions
        step.actions.append(.script(pause))
        step.actions += [components.kubelet].start("StartKubelet").actions
        step.actions.append(.script(answers))
        return step
    }

    private static let programs = Script(
        """
        \(PreviousNode.replaceProgram)
        for program in nestbox-node kubelet; do replace_program \(next)/$program; done
        """)

    /// A Node's heartbeats are of whole seconds: the last one of the old kubelet must not look like the first one of the new.
    private static let pause = Script(
        """
        systemctl stop nestbox-kubelet.service
        sleep 1
        """)

    /// Whether the kubelet stays up, and not only starts: its certificate is there already, so that it answers at once.
    private static let answers = Script(
        """
        healthy() {
            timeout 5 bash -c 'exec 3<> /dev/tcp/127.0.0.1/10248 && printf "GET /healthz HTTP/1.0\\r\\n\\r\\n" >&3 && head -n 1 <&3' \\
                2>/dev/null | grep -q ' 200 '
        }
        try=0
        until healthy; do
            try=$((try + 1))
            restarts=$(systemctl show --property=NRestarts --value nestbox-kubelet.service)
            [ $try -lt 60 ] && [ "${restarts:-0}" -lt 3 ] || {
                echo "the kubelet does not come up: $(journalctl -u nestbox-kubelet -n 40 -o cat --no-pager 2>/dev/null |
                    grep -E '^([EF][0-9]{4} |Error:|.*[Ff]ailed)' | tail -n 2)" >&2
                exit 1
            }
            sleep 1
        done
        """)

    static let finish = Step(
        "Finish",
        actions: [
            .script(
                Script(
                    """
                    started=$(systemctl show --property=ActiveEnterTimestamp --value nestbox-kubelet.service)
                    report kubeletStarted "$(date -u -d "$started" +%Y-%m-%dT%H:%M:%SZ)"
                    rm -rf \(next) \(PreviousNode.folder)
                    """))
        ], timeout: .seconds(60))
}
