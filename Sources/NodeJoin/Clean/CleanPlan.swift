import SSHClient

extension Plan {
    public static let cleanName = "Clean"
    /// Once it is done, no process of a pod is left on the machine, and nothing there starts one again.
    public static let stepThatEndsPods = CleanProcesses.kill.name

    /// Makes a machine what it was before it joined. Every step can be done again, on a machine that joined to any point.
    /// The list of its files from before it joined stays for the check, which removes it.
    ///
    /// With `renewHostKeys` the outcome's output `hostKey` is the new public key. It is reported, and the report awaited,
    /// before the key is put to use: whoever runs the plan keeps it then, and from then on trusts both keys until the end.
    public static func clean(_ parameters: CleanParameters) -> Plan {
        var steps = [
            CleanServices.stop, CleanProcesses.kill, CleanMounts.unmount, CleanNetwork.step(parameters), CleanPacketFilter.step(parameters),
            CleanServices.removeSlices, CleanConfiguration.putBack, CleanFiles.remove, CleanTraces.wipe, CleanFiles.restoreKernelSettings,
        ]
        if parameters.renewHostKeys { steps += [CleanHostKeys.make, CleanHostKeys.install] }
        if !parameters.assumeJoined {
            // A machine that was refused for being another cluster's node carries our claim, and nothing else of ours.
            for index in steps.indices { steps[index].check = Script("! \(ClaimFile.hasJoined)") }
        }
        steps.insert(ClaimFile.markCleaning(parameters.owner), at: 0)
        steps.append(
            Step(
                "Release",
                actions: [
                    .script(
                        Script(
                            """
                            [ ! -d \(NodePaths.configuration) ] ||
                                find \(NodePaths.configuration) -mindepth 1 -maxdepth 1 ! -path \(NodePaths.claim) -exec rm -rf {} +
                            rm -rf \(NodePaths.configuration) \(PlanTurn.lock)
                            """))
                ], timeout: .seconds(30)))
        return Plan(name: cleanName, fence: fence(parameters.owner), steps: steps)
    }

    /// No claim is as good as ours: it goes last, and the connection may have broken right after.
    private static func fence(_ owner: MachineOwner) -> Script {
        Script(
            """
            held=$(head -n 1 \(NodePaths.claim) 2>/dev/null || true)
            case $held in
            "") ;;
            \(shellQuoted("owner=\(owner.uid) "))epoch=*)
                epoch=${held##*epoch=}
                [ "${epoch%% *}" -le \(owner.epoch) ] ||
                    refuse "this machine was claimed anew ($held) after claim \(owner.epoch), which was to be cleaned up" ;;
            *) refuse "this machine is claimed by $(sed -n 's/^holder=//p' \(NodePaths.claim)) ($held): it is not ours to clean" ;;
            esac
            """)
    }
}
