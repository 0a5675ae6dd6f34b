import SSHClient

/// The claim file: `/etc/nestbox/claim` says whose the machine is.
enum ClaimFile {
    /// Its first line, which fences.
    static func line(_ owner: MachineOwner) -> String { "owner=\(owner.uid) epoch=\(owner.epoch)" }

    /// What is added to the first line once cleaning has begun: a join of the same claim, sent by an operator that has not heard of
    /// it yet, is fenced off by it.
    static let cleaning = " cleaning"

    /// Refuses unless the claim is exactly ours.
    static func fence(_ owner: MachineOwner) -> Script {
        Script(
            """
            [ "$(head -n 1 \(NodePaths.claim) 2>/dev/null)" = \(shellQuoted(line(owner))) ] ||
                refuse "the claim on this machine is no longer this plan's: $(head -n 1 \(NodePaths.claim) 2>&1)"
            """)
    }

    /// Whether a join got past its preflight here. What is kept from before stays to the end of the cleaning.
    static let hasJoined =
        "{ [ -e \(NodePaths.configuration)/preflight ] || [ -e \(NodePaths.configuration)/sysctl.before ] || [ -e \(NodePaths.configuration)/folders.before ]; }"

    /// Takes the machine, unless another holds it.
    static func take(_ owner: MachineOwner) -> Step {
        let file = TextFile(NodePaths.claim, "\(line(owner))\nholder=\(owner.holder)")
        return Step(
            "Claim",
            actions: [
                .script(
                    Script(
                        """
                        if [ -s \(NodePaths.claim) ]; then
                            held=$(head -n 1 \(NodePaths.claim))
                            holder=$(sed -n 's/^holder=//p' \(NodePaths.claim))
                            case $held in
                            \(shellQuoted(line(owner)))) ;;
                            \(shellQuoted("owner=\(owner.uid) "))*)
                                # An operator that was overtaken may have claimed it once more, when it was clean, and done nothing else.
                                epoch=${held##*epoch=}
                                [ "${epoch%% *}" -lt \(owner.epoch) ] && ! \(hasJoined) ||
                                refuse "an earlier or later use of this machine was not cleaned up ($held, $holder): clean it first" ;;
                            *) refuse "this machine is claimed by $holder ($held): is it registered twice? If that Machine is gone, remove \(NodePaths.claim) on it" ;;
                            esac
                        fi
                        \(file.put)
                        """))
            ], timeout: .seconds(30), fenced: false)
    }

    /// From here on it is cleaned and nothing else. Where there is no claim (any more) one is made, for the same reason.
    static func markCleaning(_ owner: MachineOwner) -> Step {
        let file = TextFile(NodePaths.claim, "\(line(owner))\(cleaning)\nholder=\(owner.holder)")
        return Step(
            "Claim", check: Script(file.same), actions: [.script(Script(file.put))], timeout: .seconds(30))
    }
}
